"""What can be wrong with pairs, and the sentences for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_synth.core.registry import Registry


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes
    ----------
    one, many : str
        What is wrong with one file, and with several: the sentence goes on after their names.
    advice : str
        What is done to a copy, or by hand where there is no cure.
    serious : bool
        A model that learns from it learns something wrong; a hint otherwise.
    """

    one: str
    many: str
    advice: str
    serious: bool = True


FAULTS: Registry[Fault] = Registry(
    "fault",
    {
        "unreadable": Fault("cannot be used", "cannot be used", "Copy or export them again."),
        "doubled name": Fault("have one name", "have one name", "Remove or rename all but one."),
        "no mask": Fault("has no mask", "have no mask", "They are left out of the copy."),
        "no image": Fault("has no image", "have no image", "They are left out of the copy."),
        "sizes differ": Fault("has another size than its image", "have other sizes than their images",
                              "The mask is scaled, where the factor is a whole number, or left out."),
        "stack": Fault("is a stack", "are stacks", "It is split into its planes."),
        "strange numbers": Fault("has numbers that are no labels", "have numbers that are no labels",
                                 "They are repaired."),
        "read with care": Fault("was read with care", "were read with care", "It is saved as plain labels.", False),
        "empty": Fault("is empty", "are empty", "They are left out of the copy.", False),
        "binary": Fault("has one number for all nuclei", "have one number for all nuclei",
                        "Touching nuclei are split by a watershed and each gets a number.", False),
        "inverted": Fault("labels the background", "label the background", "It is inverted."),
        "wrapped": Fault("starts numbering again after 255", "start numbering again after 255",
                         "Each part gets a number of its own."),
        "shared number": Fault("has numbers used for several nuclei", "have numbers used for several nuclei",
                               "Each part gets a number of its own."),
        "gaps": Fault("has gaps in its numbers", "have gaps in their numbers", "They are numbered from 1.", False),
        "specks": Fault("has specks", "have specks", "They are removed.", False),
        "holes": Fault("has holes in nuclei", "have holes in nuclei", "They are filled.", False),
        "shifted": Fault("is shifted against its image", "are shifted against their images", "It is shifted back."),
        "turned": Fault("is turned or mirrored against its image", "are turned or mirrored against their images",
                        "It is turned back."),
        "swapped": Fault("are exchanged", "are exchanged", "They are exchanged."),
        "wrong pair": Fault("does not belong to its image", "do not belong to their images",
                            "They are left out of the copy."),
        "blank image": Fault("shows no nuclei where its mask has some", "show no nuclei where their masks have some",
                             "They are left out of the copy."),
        "empty mask of nuclei": Fault("is empty though its image shows nuclei",
                                      "are empty though their images show nuclei", "They are left out of the copy."),
        "unlabelled": Fault("may miss nuclei", "may miss nuclei", "Look at them and paint what is missing.", False),
        "duplicate": Fault("show the same", "show the same", "The one to train on is left out of the copy."),
    },
)  # fmt: skip


@dataclass(frozen=True)
class Cure:
    """What is done to the copy of a file.

    Attributes
    ----------
    file : Path
    name : str
        A key of `cures.MASK_CURES`, or ``leave out``, ``exchange`` or ``planes``.
    arguments : dict
    """

    file: Path
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A fault of some files.

    Attributes
    ----------
    kind : str
        A key of `FAULTS`.
    sentence : str
    files : tuple of Path
    cures : tuple of Cure
        What `Report.repair` does to the copy; empty where there is no cure.
    """

    kind: str
    sentence: str
    files: tuple[Path, ...]
    cures: tuple[Cure, ...] = ()

    @property
    def serious(self) -> bool:
        return FAULTS[self.kind].serious

    @property
    def advice(self) -> str:
        return FAULTS[self.kind].advice


def grouped(findings: Iterable[Finding], most: int = 4) -> list[Finding]:
    """Findings of one kind as one where there are more than ``most``, in the order of `FAULTS`."""
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    result = []
    for kind, fault in FAULTS.items():
        found = by_kind.get(kind, [])
        if len(found) <= most:
            result += found
            continue
        files = tuple(dict.fromkeys(file for finding in found for file in finding.files))
        names = ", ".join(file.name for file in files[:most])
        sentence = f"{len(found)} {'pairs' if len(files) > len(found) else 'files'} {fault.many}: {names}, …"
        result.append(Finding(kind, sentence, files, tuple(cure for finding in found for cure in finding.cures)))
    return result
