"""Plain, slow, obviously right implementations to compare with."""
