"""``napari-synth`` without a command: the window, or the same job without one."""

from __future__ import annotations

from pathlib import Path

from napari_synth.cli.console import err, out
from napari_synth.cli.export import export_recipe_to
from napari_synth.cli.signals import as_of_old
from napari_synth.core.display import display_answers, has_display
from napari_synth.core.recipe import FieldSettings, FieldSource
from napari_synth.models.defaults import DEFAULT_GENERATOR

HEADLESS_FOLDER = Path("run_output")


def window() -> None:
    """Open napari with the column docked and a sample rendered; without a display, export its pairs."""
    if has_display() and display_answers():
        from napari_synth.ui.app import launch

        with as_of_old():
            launch(render_first=True)
    else:
        headless(HEADLESS_FOLDER)


def headless(folder: Path) -> None:
    """The main job without a window: sample a field, render every option, export the pairs."""
    from napari_synth.models.registry import model_card
    from napari_synth.synthesis.recipes import masks_recipe

    err.print("There is no display, so no window can be opened; doing the same job without one.")
    field = FieldSource(settings=FieldSettings(), seed=1)
    recipe = masks_recipe(DEFAULT_GENERATOR, [field], options=model_card(DEFAULT_GENERATOR).options)
    export_recipe_to(recipe, folder, overwrite=False, device="auto")
    out.print(f"Images: {folder / 'images'}\nMasks:  {folder / 'masks'}")
