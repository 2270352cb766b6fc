"""A plot in the colours of the theme."""

from __future__ import annotations

import pyqtgraph as pg
from qtpy.QtGui import QColor

from napari_synth.ui.widgets.panel import described

COLOURS = ("#4c9be8", "#ff9f40", "#4bc07a", "#e05d5d", "#b388eb", "#c9a27c", "#3fc7d6")
HEIGHT = 200


class Plot(pg.PlotWidget):
    """A plot in the colours of the theme, without menus and buttons."""

    def __init__(self, name: str, tip: str):
        super().__init__(background=None, enableMenu=False)
        described(self, name, tip)
        self.setFixedHeight(HEIGHT)
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.ctrlMenu.setParent(self)  # nobody sees it, but Python's garbage collector must not be the one to delete it
        plot.ctrlMenu.hide()  # or it appears inside the plot
        self.legend = plot.addLegend(offset=(-5, 5))

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
