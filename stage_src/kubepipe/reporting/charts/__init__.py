"""Charts as inline SVG: shapes in per cent of the width, so that text keeps its size on any screen and in print."""

from kubepipe.reporting.charts.bars import Bar, bar_chart
from kubepipe.reporting.charts.intervals import Dot, interval_chart
from kubepipe.reporting.charts.lines import line_chart

__all__ = ["Bar", "Dot", "bar_chart", "interval_chart", "line_chart"]
