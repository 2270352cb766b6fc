"""The bundled models that the program begins with."""

DEFAULT_GENERATOR = "optional-pix2pix-nuclei"
DEFAULT_CAPSULES = "capspix2pix-axons"
DEFAULT_TWO_CHANNEL = "metgan-brain"
