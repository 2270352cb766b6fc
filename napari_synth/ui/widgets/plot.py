"""A plot as panels show it: no menu, no buttons, no background of its own."""

from __future__ import annotations

import pyqtgraph as pg

from napari_synth.ui.widgets.panel import described


class PlainPlot(pg.PlotWidget):
    """Base of the plots of panels.

    Parameters
    ----------
    name, tip : str
        Accessible name and tooltip.
    """

    def __init__(self, name: str, tip: str):
        super().__init__(background=None, enableMenu=False)
        described(self, name, tip)
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.ctrlMenu.setParent(self)  # nobody sees it, but Python's garbage collector must not be the one to delete it
        plot.ctrlMenu.hide()  # or it appears inside the plot
