"""``python -m napari_synth`` is the program ``napari-synth``."""

from napari_synth.cli.main import run

if __name__ == "__main__":
    run()
