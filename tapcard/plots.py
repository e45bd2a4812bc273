"""Charts as PNG for emails; matplotlib is imported when the first one is drawn."""

import importlib
import io
from collections.abc import Sequence

SIZE = (5.44, 2.3)  # inches, displayed at 100 pixels per inch
DPI = 200
MUTED = "#4c5b74"


def daily_png(labels: Sequence[str], values: Sequence[int], *, color: str, x_title: str, y_title: str) -> bytes:
    """Return a bar chart with one labelled bar per day."""
    figure_module = importlib.import_module("matplotlib.figure")
    canvas_module = importlib.import_module("matplotlib.backends.backend_agg")
    ticker = importlib.import_module("matplotlib.ticker")
    figure = figure_module.Figure(figsize=SIZE, dpi=DPI, layout="constrained", facecolor="#ffffff")
    canvas_module.FigureCanvasAgg(figure)
    axes = figure.subplots()
    positions = range(len(values))
    bars = axes.bar(positions, values, color=color, width=0.68)
    if len(values) <= 14:
        axes.bar_label(bars, padding=2, fontsize=8, color=MUTED)
    axes.set_xticks(list(positions), list(labels))
    axes.set_xlabel(x_title, fontsize=8, color=MUTED)
    axes.set_ylabel(y_title, fontsize=8, color=MUTED)
    axes.set_ylim(0, max(1, *values) * 1.15)
    axes.yaxis.set_major_locator(ticker.MaxNLocator(nbins=4, integer=True))
    axes.tick_params(length=0, labelsize=8, labelcolor=MUTED)
    axes.grid(axis="y", color="#dfe5ee", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
