"""Icons from the sprite, and the layout of bar charts."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask

from tapcard.web.charts import bar_chart
from tapcard.web.icons import icon

TEMPLATES = Path(__file__).resolve().parents[2] / "tapcard" / "templates"
DAY = date(2026, 11, 20)


def days(*counts: int) -> list[tuple[date, int]]:
    return [(DAY - timedelta(days=len(counts) - 1 - place), count) for place, count in enumerate(counts)]


def test_an_icon_is_hidden_from_screen_readers() -> None:
    drawing = str(icon("search"))
    assert drawing.startswith("<svg ")
    assert "<path " in drawing
    assert 'aria-hidden="true"' in drawing


def test_an_icon_with_a_label_is_a_named_image() -> None:
    drawing = str(icon("search", 'Find "it"'))
    assert 'role="img" aria-label="Find &#34;it&#34;"' in drawing
    assert "aria-hidden" not in drawing


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(KeyError):
        icon("no-such-icon")


def test_every_icon_named_in_a_template_exists() -> None:
    call = re.compile(r'\b(?:icon|empty_state)\("([a-z0-9-]+)"')
    names = {name for path in TEMPLATES.rglob("*.html") for name in call.findall(path.read_text())}
    assert len(names) > 20
    for name in names:
        icon(name)


def test_bars_fit_between_the_axis_and_the_top(app: Flask) -> None:
    with app.test_request_context():
        chart = bar_chart(days(0, 3, 24))
    assert [bar.count for bar in chart.bars] == [0, 3, 24]
    assert {bar.y + bar.height for bar in chart.bars} == {156}
    assert chart.bars[2].y >= 20
    assert chart.bars[0].height < chart.bars[1].height < chart.bars[2].height
    assert chart.total == 27


@pytest.mark.parametrize(
    ("highest", "labels"), [(0, ["1", "2"]), (5, ["3", "6"]), (24, ["15", "30"]), (101, ["100", "200"])]
)
def test_grid_lines_have_round_whole_values(app: Flask, highest: int, labels: list[str]) -> None:
    with app.test_request_context():
        chart = bar_chart(days(0, highest))
    assert [line.label for line in chart.lines] == labels


def test_the_last_day_is_called_today(app: Flask) -> None:
    with app.test_request_context():
        chart = bar_chart(days(*range(30)))
    assert [tick.label for tick in chart.ticks] == ["22 Oct", "1 Nov", "10 Nov", "today"]


@pytest.mark.parametrize("counts", [(), (1,), (0, 0)])
def test_a_chart_works_with_few_days_and_no_taps(app: Flask, counts: tuple[int, ...]) -> None:
    with app.test_request_context():
        chart = bar_chart(days(*counts))
    assert len(chart.bars) == len(counts)
