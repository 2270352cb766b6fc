"""The docks, one folder each; they know the context, never each other."""
