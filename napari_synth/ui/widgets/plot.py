"""A plot as panels show it: no menu, no buttons, no background of its own."""

from __future__ import annotations

import pyqtgraph as pg
from qtpy.QtGui import QColor

from napari_synth.ui.widgets.panel import described

COLOURS = ("#4c9be8", "#ff9f40", "#4bc07a", "#e05d5d", "#b388eb", "#c9a27c", "#3fc7d6")
HEIGHT = 200


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


class Plot(PlainPlot):
    """A plot in the colours of the theme, with a legend."""

    def __init__(self, name: str, tip: str):
        super().__init__(name, tip)
        self.setFixedHeight(HEIGHT)
        self.legend = self.getPlotItem().addLegend(offset=(-5, 5))

    def show_colours(self, text: str) -> None:
        """Draw axes in the text colour of the theme."""
        colour = QColor(text)
        for side in ("bottom", "left"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(colour)
            axis.setTextPen(colour)
        self.legend.setLabelTextColor(colour)

    def name_axes(self, bottom: str, left: str) -> None:
        """Under and beside the plot."""
        self.getPlotItem().setLabel("bottom", bottom)
        self.getPlotItem().setLabel("left", left)
