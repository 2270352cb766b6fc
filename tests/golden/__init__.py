"""What the program made on one day, so that a change of its inside can be seen to change nothing outside.

``cases.py`` and ``renders.py`` make images, masks and exports through the command line and the public names;
``hashes.yaml`` says what came out; ``files/`` holds files of that day, which later versions must still open.

python -m tests.golden.make            # make every case and write hashes.yaml
python -m tests.golden.make --check    # make every case and say which parts are not the same, bit for bit
python -m pytest tests/golden          # the cheap cases; -m slow for the others
"""
