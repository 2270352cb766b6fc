"""What goes wrong around the program: full disks, signals, power cuts, two runs at once, odd names."""
