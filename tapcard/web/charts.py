"""Geometry of the SVG bar chart in `macros/ui.html`, in per cent of the width, so that text keeps its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

TOP, BOTTOM = 20, 156  # of the bars, in pixels of a chart that is 180 high
MIN_BAR_HEIGHT = 2
TICK_COUNT = 4


@dataclass(frozen=True)
class Bar:
    """The bar of one day."""

    day: str
    count: int
    title: str
    x: str
    width: str
    slot_x: str
    slot_width: str
    y: float
    height: float


@dataclass(frozen=True)
class Line:
    """A labelled horizontal grid line."""

    label: str
    y: float


@dataclass(frozen=True)
class Tick:
    """A label below the x axis."""

    label: str
    x: str
    anchor: str


@dataclass(frozen=True)
class BarChart:
    """All elements of a bar chart."""

    bars: list[Bar]
    lines: list[Line]
    ticks: list[Tick]
    total: int


def bar_chart(days: Sequence[tuple[date, int]], ends_today: bool = True) -> BarChart:
    """Return the chart of (day, number of taps) pairs, oldest first, with one bar per day."""
    top = _round_up(max((count for _day, count in days), default=0))
    slot_width = 100 / max(len(days), 1)
    scale = (BOTTOM - TOP) / top
    bars = []
    for number, (day, count) in enumerate(days):
        height = round(max(count * scale, MIN_BAR_HEIGHT if count else 1), 1)
        bars.append(
            Bar(
                day=_format(day, "d MMM y"),
                count=count,
                title=f"{_format(day, 'd MMM')}: {ngettext('%(num)s tap', '%(num)s taps', count)}",
                x=f"{number * slot_width + slot_width * 0.14:.3f}%",
                width=f"{slot_width * 0.72:.3f}%",
                slot_x=f"{number * slot_width:.3f}%",
                slot_width=f"{slot_width:.3f}%",
                y=round(BOTTOM - height, 1),
                height=height,
            )
        )
    return BarChart(
        bars=bars,
        lines=[Line(str(level), round(BOTTOM - level * scale, 1)) for level in _levels(top)],
        ticks=_ticks([day for day, _count in days], slot_width, ends_today),
        total=sum(count for _day, count in days),
    )


def _round_up(highest: int) -> int:
    """Return the smallest round, even number that is not below the highest bar."""
    power = 1
    while True:
        for step in (2, 3, 4, 6, 8, 10):
            if highest <= step * power and step * power % 2 == 0:
                return step * power
        power *= 10


def _levels(top: int) -> tuple[int, int]:
    return top // 2, top


def _ticks(days: list[date], slot_width: float, ends_today: bool) -> list[Tick]:
    if not days:
        return []
    last = len(days) - 1
    indexes = sorted({round(last * part / (TICK_COUNT - 1)) for part in range(TICK_COUNT)})
    ticks = []
    for index in indexes:
        if index == last:
            ticks.append(Tick(_("today") if ends_today else _format(days[last], "d MMM"), "100%", "end"))
        elif index == 0:
            ticks.append(Tick(_format(days[0], "d MMM"), "0", "start"))
        else:
            ticks.append(Tick(_format(days[index], "d MMM"), f"{(index + 0.5) * slot_width:.3f}%", "middle"))
    return ticks


def _format(day: date, pattern: str) -> str:
    return format_date(day, pattern, locale=get_locale() or "en_GB")
