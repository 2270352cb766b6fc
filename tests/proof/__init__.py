"""Exports read back by the trainers themselves: `make prove-formats`.

``write.py`` runs in the environment of the program, ``read.py`` in one of its own, where napari-synth is not.
"""
