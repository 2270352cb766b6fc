"""What the label doctor finds before something long begins: said once, and no obstacle the second time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken, OnProgress

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.evaluation.pair_check import Finding, MaskWatch

ADVICE = "Press Check… under Mask for a cured copy, or {button} again to take {what}."


class Doubts:
    """Of one dock: what was said already. Used by jobs, away from layers and widgets.

    Parameters
    ----------
    button : str
        What starts the job, as it is called in the window.
    """

    def __init__(self, button: str):
        self._button = button
        self._said: set[str] = set()
        self._sound: set[Path] = set()

    def about_masks(
        self, masks: Sequence[tuple[str, np.ndarray | Path]], on_progress: OnProgress, cancel: CancelToken
    ) -> MaskWatch:
        """Look at masks that are to be exported: at those in memory, and at some of those in files.

        Returns
        -------
        MaskWatch
            For the files that have their turn.

        Raises
        ------
        InputError
            If something serious is found that was not said before.
        """
        from napari_synth.evaluation.pair_check import MaskWatch, faults_before_export

        watch = MaskWatch([mask for _, mask in masks if isinstance(mask, Path)])
        first = [(name, mask) for name, mask in masks if not isinstance(mask, Path) or mask in watch.first]
        self._say(
            faults_before_export(first, on_progress, cancel), "it as it is" if len(masks) == 1 else "them as they are"
        )
        return watch

    def about_pairs(self, folder: Path, on_progress: OnProgress, cancel: CancelToken) -> None:
        """Look at a folder of pairs that something learns from; once, where nothing is wrong with it.

        Raises
        ------
        InputError
            If something serious is found that was not said before.
        """
        from napari_synth.evaluation.pair_check import faults_before_training

        if folder not in self._sound:
            self._say(faults_before_training(folder, on_progress, cancel), f"{folder.name} as it is")
            self._sound.add(folder)

    def told(self, folder: Path, findings: Sequence[Finding]) -> None:
        """What was found in a folder is shown already: it is no obstacle any more."""
        self._said.update(finding.sentence for finding in findings)
        self._sound.add(folder)

    def _say(self, findings: Sequence[Finding], what: str) -> None:
        fresh = [finding.sentence for finding in findings if finding.sentence not in self._said]
        if not fresh:
            return
        self._said.update(fresh)
        more = f" ({len(fresh) - 1} more of such findings.)" if len(fresh) > 1 else ""
        raise InputError(f"{fresh[0]}{more}", ADVICE.format(button=self._button, what=what))
