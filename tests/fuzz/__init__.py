"""Files, recipes, settings and arguments that nobody should hand over, in large numbers.

Each gives a result or one error of two short sentences: no traceback, no hang, little memory, nothing outside the
folder it was given. ``make fuzz`` tries 10 000 and prints a table; the default run some hundred, always the same,
and all that ever made trouble (``found.py``).
"""
