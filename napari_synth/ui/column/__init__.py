"""The one column that all docks lie in."""
