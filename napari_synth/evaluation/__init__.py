"""How good synthetic pairs are: image metrics, mask agreement, grid artefacts."""
