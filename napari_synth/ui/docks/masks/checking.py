"""The label doctor in the window: faults of masks and folders, cured in a copy."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.masks.jobs import CheckFolderWork, CheckMasksWork, CureFolderWork, CureMaskWork
from napari_synth.ui.napari_bridge.mask_layers import add_mask, mask_array
from napari_synth.ui.napari_bridge.placement import placement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Labels

    from napari_synth.evaluation.pair_check import CheckedMask, Finding, Report
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.jobs.delivery import Jobs


@dataclass(frozen=True, eq=False)
class Found:
    """What is said of one mask, or of a folder.

    Attributes
    ----------
    name : str
    findings : tuple of Finding
    layer : weakref to Labels, or None
    checked : CheckedMask, or None
        Of a layer.
    report : Report, or None
        Of a folder.
    """

    name: str
    findings: tuple[Finding, ...]
    layer: weakref.ref[Labels] | None = None
    checked: CheckedMask | None = None
    report: Report | None = None

    @property
    def curable(self) -> bool:
        """Whether a copy would differ."""
        return any(finding.cures for finding in self.findings)


class Checking:
    """Checks masks and folders.

    Attributes
    ----------
    found : list of Found
        Of the last check; those without findings too.
    """

    changed = Signal()

    def __init__(self, context: Context, jobs: Jobs, say: Callable[[Note], object]):
        self._context, self._jobs, self._say = context, jobs, say
        self.found: list[Found] = []

    def check_layers(self, layers: Sequence[Labels]) -> None:
        """Look for faults in some masks."""
        if not layers:
            self._say(Note("problem", "There is no mask to check.", "Open or make one first, or check a folder."))
            return
        kept = [weakref.ref(layer) for layer in layers]
        work = CheckMasksWork([(layer.name, mask_array(layer)) for layer in layers])

        def done(checked: list[CheckedMask]) -> None:
            pairs = zip(kept, checked, strict=True)
            self._show([Found(one.name, one.findings, layer, one) for layer, one in pairs])

        self._jobs.run("Checking masks", work, done, total=len(layers), unit="masks")

    def check_folder(self, folder: str | Path) -> None:
        """Look for faults in a folder of pairs, or of masks alone."""
        folder = Path(folder)

        def done(report: Report) -> None:
            self._show([Found(folder.name, report.findings, report=report)], report.pairs)

        self._jobs.run(f"Checking {folder.name}", CheckFolderWork(folder), done, total=1, unit="pairs")

    def cure_layer(self, found: Found) -> None:
        """Add a cured copy of a mask."""
        layer = found.layer() if found.layer is not None else None
        if layer is None or found.checked is None or not self._context.holds(layer):
            self._say(Note("stopped", f"The mask {found.name!r} is gone.", "Check another one."))
            return

        def done(layer: Labels, labels: np.ndarray) -> None:
            mask = add_mask(self._context.viewer, labels.shape, f"{layer.name}, cured", placement(layer), labels)
            self._context.results.bring_forward(mask)
            self.found = [other for other in self.found if other is not found]
            self.changed.emit()
            text = f"{mask.name!r} is a cured copy; {layer.name!r} was not changed."
            self._say(Note("done", text, "Compare them with the eyes in the layer list."))

        work = CureMaskWork(mask_array(layer), found.checked)
        self._jobs.run("Curing a copy", work, done, on=layer, total=1, unit="masks")

    def cure_folder(self, found: Found, copy: str | Path) -> None:
        """Write a cured copy of a folder."""
        if found.report is None:
            return

        def done(changed: list[Path]) -> None:
            text = f"{len(changed)} file{'s' * (len(changed) != 1)} of the copy {copy} were cured or left out."
            self._say(Note("done", text, f"{found.name!r} itself was not changed."))

        work = CureFolderWork(found.report, Path(copy))
        self._jobs.run("Curing a copy", work, done, total=1, unit="files")

    def forget(self) -> None:
        """Show nothing any more."""
        self.found = []
        self.changed.emit()

    def _show(self, found: list[Found], pairs: int = 0) -> None:
        self.found = found
        self.changed.emit()
        count = sum(len(one.findings) for one in found)
        serious = sum(finding.serious for one in found for finding in one.findings)
        what = f"{pairs} pair{'s' * (pairs != 1)} in {found[0].name!r}" if pairs else _names(found)
        if not count:
            self._say(Note("done", f"Nothing is wrong with {what}.", "Go on."))
            return
        text = f"{count} finding{'s' * (count != 1)} on {what}, {serious} of them serious."
        self._say(Note("done", text, "They are listed above, each with its cure."))


def _names(found: list[Found]) -> str:
    return repr(found[0].name) if len(found) == 1 else f"{len(found)} masks"
