"""The docks. A new one is a folder beside this file, a line here, and its command in napari.yaml."""

from __future__ import annotations

from napari_synth.ui.docks.dock import Dock

HERE = "napari_synth.ui.docks"

DOCKS: dict[str, Dock] = {
    dock.key: dock
    for dock in (
        Dock("masks", "Masks", f"{HERE}.masks.actions:MaskActions", f"{HERE}.masks.panel:MasksPanel", first=True),
        Dock(
            "synthesize",
            "Synthesize",
            f"{HERE}.synthesize.actions:SynthesizeActions",
            f"{HERE}.synthesize.panel:SynthesizePanel",
            first=True,
        ),
        Dock(
            "export", "Export", f"{HERE}.export.actions:ExportActions", f"{HERE}.export.panel:ExportPanel", first=True
        ),
        Dock("compare", "Compare", f"{HERE}.compare.actions:CompareActions", f"{HERE}.compare.panel:ComparePanel"),
        Dock("nuclei", "Nuclei", f"{HERE}.nuclei.actions:NucleusActions", f"{HERE}.nuclei.panel:NucleiPanel"),
        Dock("inspect", "Inspect", f"{HERE}.inspect.actions:InspectActions", f"{HERE}.inspect.panel:InspectPanel"),
    )
}
