"""Images of masks: rendering, showing the result, the image that follows the brush."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.errors import SynthError
from napari_synth.core.quantities import moment_text
from napari_synth.core.seeds import random_seed
from napari_synth.ui.context.notes import Note
from napari_synth.ui.context.order import MASK_FIRST
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.docks.synthesize.age import ImageAge
from napari_synth.ui.docks.synthesize.camera import Camera
from napari_synth.ui.docks.synthesize.following import Following
from napari_synth.ui.docks.synthesize.jobs import STEPS, RenderWork
from napari_synth.ui.docks.synthesize.model_of_mask import ModelOfMask
from napari_synth.ui.docks.synthesize.replaying import Replaying
from napari_synth.ui.docks.synthesize.styles import Styles
from napari_synth.ui.docks.synthesize.thumbnails import Key, Thumbnails
from napari_synth.ui.napari_bridge.clipboard import copy_text
from napari_synth.ui.napari_bridge.dialogs import ask_file
from napari_synth.ui.napari_bridge.image_layers import over_anatomy
from napari_synth.ui.napari_bridge.mask_changes import MaskChanges
from napari_synth.ui.napari_bridge.mask_layers import file_of, mask_array, outline, place_in_view

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Labels

    from napari_synth.core.progress import Progress
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.synthesize.jobs import Rendered

MASK_GONE = Note(
    "stopped",
    "The mask layer was deleted while it was rendered, so its image was dropped.",
    "Choose another mask and press Render.",
)


class SynthesizeActions(DockActions):
    """The actions of the Synthesize dock.

    Attributes
    ----------
    following : Following
        The image that follows the brush.
    styles : Styles
        The style of the image.
    thumbnails : Thumbnails
        The mask in each option and in some styles.
    age : ImageAge
        Whether the image is older than the mask.
    replaying : Replaying
        Brings back what was exported.
    camera : Camera
        What is put onto the image after the model.
    """

    key = "synthesize"
    hint = Note("hint", "Choose the model and its look, then press Render.")

    def __init__(self, context: Context):
        self._model_of_mask = ModelOfMask(context)
        super().__init__(context)
        self.following = Following(context, self.jobs, self.say)
        self.replaying = Replaying(context, self.jobs, self.say, self.render)
        self.styles = Styles(context, self.jobs, self.say, self.render_now)
        self.camera = Camera(context, self.jobs, self.say, self.render_now)
        self.thumbnails = Thumbnails(context, self.jobs)
        self.age = ImageAge(context)
        self._mask_changes = MaskChanges()
        self._mask_changes.begun.connect(self.thumbnails.pause)
        self._mask_changes.rested.connect(self._on_mask_edited)
        context.masks.current_changed.connect(self._on_other_mask)
        for signal in (context.look.events, self.styles.state.events.members):
            signal.connect(self._want_thumbnails)
        for name in ("model", "seed", "noise", "latent"):
            context.look.events[name].connect(self.thumbnails.outdate)
        context.camera.events.connect(self.thumbnails.outdate)
        context.changes.changed.connect(self.thumbnails.outdate)
        context.rendered.connect(self._on_rendered)
        self._on_other_mask()
        self._want_thumbnails()
        context.look.events.connect(self._on_headline)

    @property
    def headline(self) -> str:
        look, card = self.context.look, self.context.catalogue.card(self.context.look.model)
        if card is None:
            return "no model yet"
        title = next((one.title or one.name for one in card.looks if one.name == look.option), card.title or card.id)
        if look.style is not None and card.style_size:
            title = f"{title}, {self.styles.words(look.style)}"
        return f"{title}, seed {look.seed}" if look.noise and self.context.catalogue.has_seed(look.model) else title

    @property
    def next_step(self) -> Note:
        if not self.context.masks.layers:
            return MASK_FIRST
        return self._model_of_mask.note or self.hint

    def _on_headline(self) -> None:
        self.headline_changed.emit()

    def close(self) -> None:
        self.following.close()
        self.thumbnails.close()
        self.camera.close()
        self._mask_changes.close()
        super().close()

    def open_model(self, path: str | Path) -> None:
        """Offer the generator of a file and switch to it."""
        self.say(self.context.open_model(path))

    def choose_option(self, name: str) -> None:
        """Take a look and render it; a style chosen before belonged to another one."""
        look = self.context.look
        if name != look.option:
            with look.events.paused():
                look.option, look.style = name, None
        self.render_now()

    def roll_seed(self) -> None:
        """Other noise, please."""
        self.context.look.seed = random_seed()
        self.render_now()

    def roll_style(self) -> None:
        """Any style of the look."""
        self.styles.roll()

    def compare_looks(self) -> None:
        """Show the mask in four looks beside each other."""
        self.context.comparison_wanted.emit("looks")

    def compare_styles(self) -> None:
        """Show the mask in four styles of the look beside each other."""
        self.context.comparison_wanted.emit("styles")

    def render_now(self) -> None:
        """Render what was just chosen, unless there is no mask or its image follows anyway."""
        if self.context.masks.current is not None and not self.following.state.on:
            self.render()

    def set_outline(self, on: bool) -> None:
        """Show the current mask as outlines or filled."""
        self.context.look.outline = on
        if self.context.masks.current is not None:
            outline(self.context.masks.current, on)

    def render(self) -> None:
        """Render the current mask as chosen; a render under way is replaced."""
        context = self.context
        layer = context.masks.current
        mistaken = context.mistaken()
        if mistaken is not None:
            self.say(mistaken)
            return
        order = context.order(layer)
        if isinstance(order, Note) or layer is None:
            self.say(order if isinstance(order, Note) else MASK_GONE)
            return
        self.thumbnails.pause()
        version = self.age.version(layer)
        work = RenderWork(context.models, order, mask_array(layer), near=place_in_view(context.viewer, layer))

        def fill() -> None:
            """Show the finished tiles of a large image."""
            if work.image is not None and context.holds(layer):
                look, limits = (
                    context.catalogue.shown_as(order.model, order.option),
                    context.catalogue.channel_range(order.model),
                )
                shown = over_anatomy(work.image, limits) if limits else None
                context.results.show(layer, look, work.image, None, order.beside, shown)

        def cancelled(reached: Progress) -> Note:
            text = "Rendering was cancelled."
            if work.image is not None:
                text = f"Rendering was cancelled; {reached.done} of {reached.total} tiles are done and kept."
            return Note("stopped", text, "Press Render to start again.")

        def show(layer: Labels, rendered: Rendered) -> None:
            self._show(layer, work, rendered)
            self.age.shown(layer, version)

        self.jobs.run(
            "Rendering", work, show, on=layer, gone=MASK_GONE, total=STEPS, cancelled=cancelled, meanwhile=fill
        )

    def as_python(self) -> str:
        """The lines that make the same image in a script or in napari's console."""
        context = self.context
        layer = context.masks.current
        order = context.order_of("mask" if layer is None else layer.name)
        if isinstance(order, Note):
            return "".join(f"# {line}\n" for line in (order.text, order.action) if line)
        card = context.catalogue.card(order.model)
        return order.as_python(card.latent_size if card is not None else 0)

    def toggle_live(self) -> None:
        """Let the image follow the brush, or not."""
        self.following.switch(not self.following.state.on)

    def copy_python(self) -> None:
        """Put the lines that make the same image into the clipboard."""
        copy_text(self.as_python())
        self.say(Note("done", "Copied the lines for Python.", "Paste them into a script or napari's console."))

    def copy_command(self) -> None:
        """Put the command that makes the same image into the clipboard."""
        context, layer = self.context, self.context.masks.current
        order = context.order(layer)
        if isinstance(order, Note) or layer is None:
            self.say(order if isinstance(order, Note) else MASK_GONE)
            return
        try:
            path = file_of(layer)
            copy_text(order.as_command(path or f"{layer.name}.tif"))
        except SynthError as error:
            self.say(Note.of(error))
            return
        action = "Paste it into a terminal." if path else f"Save the mask as {layer.name}.tif first, in Nuclei."
        self.say(Note("done", "Copied the command.", action))

    def ask_replay(self) -> None:
        """Ask for an exported file or a recipe, and bring back what it describes."""
        path = ask_file(self.context.viewer, "Replay", "Exported files and recipes (*.tif *.tiff *.yaml *.yml)")
        if path:
            self.replaying.replay(path)

    commands = (
        Command("render", "Render the mask", render, "Ctrl+Return"),
        Command("dice", "Roll the dice of the look", roll_seed, "G"),
        Command("dice_style", "Roll the dice of the style", roll_style),
        Command("compare_looks", "Show four looks beside each other", compare_looks),
        Command("compare_styles", "Show four styles beside each other", compare_styles),
        Command("live", "Image follows the brush, on or off", toggle_live, "Alt+G"),
        Command("copy_python", "Copy the image as Python", copy_python),
        Command("copy_command", "Copy the image as a command", copy_command),
        Command("replay", "Replay an exported file or a recipe…", ask_replay),
    )

    def _show(self, layer: Labels, work: RenderWork, rendered: Rendered) -> None:
        context, rendering, recipe = self.context, rendered.rendering, rendered.recipe
        limits = context.catalogue.channel_range(recipe.model)
        shown = over_anatomy(rendering.image, limits) if limits else None
        look = context.catalogue.shown_as(recipe.model, rendering.option)
        result = context.results.show(layer, look, rendering.image, recipe, work.order.beside, shown)
        context.was_rendered(layer, rendering)
        context.results.show_alone(layer, look)
        advice = "Roll the dice for another one, or go on to Export."
        self.say(
            Note(
                "done",
                f"Rendered {result.name!r} in {moment_text(rendering.seconds)} on {rendered.device}"
                f"{', in 16 bit' if recipe.precision == 'fast' else ''}{_changed(len(recipe.interventions))}.",
                rendering.remark or ("Paint, and render again, or go on to Export." if shown else advice),
            )
        )

    def _want_thumbnails(self) -> None:
        """The mask in every option, and the present one in some styles."""
        look, styles = self.context.look, self.styles.state
        options = self.context.catalogue.options(look.model)
        keys: list[Key] = [(name, look.style if name == look.option else None) for name in options]
        if styles.has_styles:
            keys += [(look.option, style) for style in (None, *styles.members)]
        self.thumbnails.want(tuple(dict.fromkeys(keys)))

    def _on_other_mask(self) -> None:
        layer = self.context.masks.current
        self._mask_changes.watch(layer)
        self.thumbnails.outdate()
        if self._model_of_mask.follow():
            self.say(self.next_step)
        self.age.changed.emit()

    def _on_mask_edited(self) -> None:
        layer = self.context.masks.current
        if layer is not None:
            self.age.edited(layer)
            self.thumbnails.outdate()

    def _on_rendered(self, layer: Labels) -> None:
        """By whichever dock."""
        self.age.shown(layer, self.age.version(layer))


def _changed(count: int) -> str:
    """What is said where the network was changed in the Inspect dock."""
    return f", with {count} {'change' if count == 1 else 'changes'} inside the network" if count else ""
