"""Every performance figure of the project, printed by one command: ``python -m benchmarks``."""
