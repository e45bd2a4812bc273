"""Charts: the geometry of the drawings in `macros/ui.html`, in per cent of the width, so that text keeps its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

TOP, BOTTOM = 20, 156  # of the bars, in pixels of a drawing 180 high
LEAST_BAR = 2
LABELS = 4


@dataclass(frozen=True)
class Bar:
    """A day and its bar."""

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
    """A level that is written on the drawing."""

    label: str
    y: float


@dataclass(frozen=True)
class Tick:
    """A day that is written under the drawing."""

    label: str
    x: str
    anchor: str


@dataclass(frozen=True)
class BarChart:
    """Everything the macro draws."""

    bars: list[Bar]
    lines: list[Line]
    ticks: list[Tick]
    total: int


def bar_chart(days: Sequence[tuple[date, int]]) -> BarChart:
    """Lay out one bar a day, oldest first."""
    top = _round_up(max((count for _day, count in days), default=0))
    slot = 100 / max(len(days), 1)
    scale = (BOTTOM - TOP) / top
    bars = []
    for number, (day, count) in enumerate(days):
        height = round(max(count * scale, LEAST_BAR if count else 1), 1)
        bars.append(
            Bar(
                day=_format(day, "d MMM y"),
                count=count,
                title=f"{_format(day, 'd MMM')}: {ngettext('%(num)s tap', '%(num)s taps', count)}",
                x=f"{number * slot + slot * 0.14:.3f}%",
                width=f"{slot * 0.72:.3f}%",
                slot_x=f"{number * slot:.3f}%",
                slot_width=f"{slot:.3f}%",
                y=round(BOTTOM - height, 1),
                height=height,
            )
        )
    return BarChart(
        bars=bars,
        lines=[Line(str(level), round(BOTTOM - level * scale, 1)) for level in _levels(top)],
        ticks=_ticks([day for day, _count in days], slot),
        total=sum(count for _day, count in days),
    )


def _round_up(highest: int) -> int:
    """The least round, even number that leaves room for the highest bar."""
    power = 1
    while True:
        for step in (2, 3, 4, 6, 8, 10):
            if highest <= step * power and step * power % 2 == 0:
                return step * power
        power *= 10


def _levels(top: int) -> tuple[int, int]:
    return top // 2, top


def _ticks(days: list[date], slot: float) -> list[Tick]:
    if not days:
        return []
    last = len(days) - 1
    places = sorted({round(last * part / (LABELS - 1)) for part in range(LABELS)})
    ticks = []
    for place in places:
        if place == last:
            ticks.append(Tick(_("today"), "100%", "end"))
        elif place == 0:
            ticks.append(Tick(_format(days[0], "d MMM"), "0", "start"))
        else:
            ticks.append(Tick(_format(days[place], "d MMM"), f"{(place + 0.5) * slot:.3f}%", "middle"))
    return ticks


def _format(day: date, pattern: str) -> str:
    return format_date(day, pattern, locale=get_locale() or "en_GB")
