"""Controls that several docks use."""
