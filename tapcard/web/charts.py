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
ROW_HEIGHT, CELL_HEIGHT = 38, 24


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


def bar_chart(days: Sequence[tuple[date, int]], ends_today: bool = True) -> BarChart:
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
        ticks=_ticks([day for day, _count in days], slot, ends_today),
        total=sum(count for _day, count in days),
    )


@dataclass(frozen=True)
class Row:
    """A name and its bar, which lies."""

    label: str
    count: int
    y: int
    width: str


@dataclass(frozen=True)
class RowChart:
    """Names with bars, one below the other."""

    rows: list[Row]
    height: int


def row_chart(labels: Sequence[str], values: Sequence[int], most: int = 12) -> RowChart:
    """Lay out one lying bar a name, those that come first."""
    longest = max(values, default=0) or 1
    rows = [
        Row(label, count, place * ROW_HEIGHT, f"{count * 100 / longest:.3f}%")
        for place, (label, count) in enumerate(zip(labels[:most], values[:most], strict=True))
    ]
    return RowChart(rows, len(rows) * ROW_HEIGHT)


@dataclass(frozen=True)
class Cell:
    """An hour of a week: how many, and how deep its colour is, from 0 to 4."""

    x: str
    y: int
    depth: int
    title: str


@dataclass(frozen=True)
class WeekChart:
    """A week as a grid of hours."""

    cells: list[Cell]
    days: list[Line]
    ticks: list[Tick]


def week_chart(days: Sequence[str], hours: Sequence[Sequence[int]]) -> WeekChart:
    """Lay out seven rows of 24 hours."""
    most = max((max(row) for row in hours), default=0) or 1
    cells = [
        Cell(
            x=f"{hour * 100 / 24:.3f}%",
            y=place * CELL_HEIGHT,
            depth=-(-count * 4 // most),
            title=f"{days[place]}, {hour:02d}:00: {ngettext('%(num)s tap', '%(num)s taps', count)}",
        )
        for place, row in enumerate(hours)
        for hour, count in enumerate(row)
    ]
    return WeekChart(
        cells,
        [Line(day[:3], place * CELL_HEIGHT + 16) for place, day in enumerate(days)],
        [Tick(f"{hour:02d}", f"{(hour + 0.5) * 100 / 24:.3f}%", "middle") for hour in range(0, 24, 6)],
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


def _ticks(days: list[date], slot: float, ends_today: bool) -> list[Tick]:
    if not days:
        return []
    last = len(days) - 1
    places = sorted({round(last * part / (LABELS - 1)) for part in range(LABELS)})
    ticks = []
    for place in places:
        if place == last:
            ticks.append(Tick(_("today") if ends_today else _format(days[last], "d MMM"), "100%", "end"))
        elif place == 0:
            ticks.append(Tick(_format(days[0], "d MMM"), "0", "start"))
        else:
            ticks.append(Tick(_format(days[place], "d MMM"), f"{(place + 0.5) * slot:.3f}%", "middle"))
    return ticks


def _format(day: date, pattern: str) -> str:
    return format_date(day, pattern, locale=get_locale() or "en_GB")
