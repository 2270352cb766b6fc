"""The docks, as the column shows them. A new one is a folder beside this file and a line here."""

from __future__ import annotations

from napari_synth.ui.docks.dock import Dock

HERE = "napari_synth.ui.docks"

DOCKS: dict[str, Dock] = {
    dock.key: dock
    for dock in (
        Dock(
            "masks",
            "Mask",
            "section",
            "Where the objects lie: paint, sample or open a mask",
            f"{HERE}.masks.actions:MaskActions",
            f"{HERE}.masks.panel:MasksPanel",
        ),
        Dock(
            "synthesize",
            "Look",
            "section",
            "What the image of the mask looks like",
            f"{HERE}.synthesize.actions:SynthesizeActions",
            f"{HERE}.synthesize.panel:SynthesizePanel",
        ),
        Dock(
            "export",
            "Export",
            "section",
            "Images and masks as files for training",
            f"{HERE}.export.actions:ExportActions",
            f"{HERE}.export.panel:ExportPanel",
        ),
        Dock(
            "nuclei",
            "Nuclei",
            "tab",
            "Stamp, grow and reshape single nuclei",
            f"{HERE}.nuclei.actions:NucleusActions",
            f"{HERE}.nuclei.panel:NucleiPanel",
        ),
        Dock(
            "inspect",
            "Inspect",
            "tab",
            "Look into the network that makes the image",
            f"{HERE}.inspect.actions:InspectActions",
            f"{HERE}.inspect.panel:InspectPanel",
        ),
        Dock(
            "compare",
            "Compare",
            "tab",
            "One mask in many looks, styles and seeds beside each other",
            f"{HERE}.compare.actions:CompareActions",
            f"{HERE}.compare.panel:ComparePanel",
        ),
        Dock(
            "evaluate",
            "Is it helping?",
            "tab",
            "Compare synthetic with real pairs: do they help, how real do they look",
            f"{HERE}.evaluate.actions:EvaluateActions",
            f"{HERE}.evaluate.panel:EvaluatePanel",
        ),
        Dock(
            "train",
            "My look",
            "tab",
            "Teach a model the look of your own images",
            f"{HERE}.train.actions:TrainActions",
            f"{HERE}.train.panel:TrainPanel",
        ),
    )
}
