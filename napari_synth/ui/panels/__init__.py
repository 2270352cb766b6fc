"""The docks, one small file each."""
