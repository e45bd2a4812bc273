"""Statistics page, JSON and CSV: ownership, periods, charts and exports."""

import contextvars
import csv
import html
import io
import json
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import today_in, utcnow
from tapcard.db import db
from tapcard.models import Card, Tap, User
from tapcard.services.cards import claims
from tapcard.services.taps import rollups, routing
from tapcard.services.taps.ingest import ReadingStore
from tests.conftest import FormClient, login
from tests.pages import words_of
from tests.tap_requests import BOT, reading

LONDON = "Europe/London"
ADDRESSES = ("/statistics", "/statistics.csv", "/api/v1/statistics/days", "/api/v1/statistics/hours")
SERIES = ("days", "cards", "hours", "devices", "countries", "channels", "outcomes")


@pytest.fixture
def store_taps(app: Flask) -> Callable[..., None]:
    """Return a function that stores taps on a card, today by default."""

    def store(card: Card, number: int = 1, *, days_ago: int = 0, at: datetime | None = None, **values: Any) -> None:
        at = at or utcnow() - timedelta(days=days_ago)
        common = {"card_id": card.id, "owner_id": card.owner_id, "at": int(at.timestamp() * 1000), **values}
        many = [reading(**common) for _number in range(number)]
        ReadingStore(app.extensions["keys"]).store(db.session.connection(), many, LONDON)
        rollups.fold_hours_into_days(LONDON)
        db.session.commit()

    return store


@pytest.fixture
def ada_client(client: FormClient, ada: User) -> FormClient:
    login(client, ada)
    return client


def csv_rows(client: FormClient, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"/statistics.csv{query}")
    assert response.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))


# --- ownership --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_the_holder_can_view_statistics_of_a_card(
    new_client: Callable[[], FormClient], card: Card, ada: User, cleo: User, ben: User, olu: User, address: str
) -> None:
    for user, status in ((ada, 200), (cleo, 404), (ben, 404), (olu, 404)):
        client = new_client()
        login(client, user)
        assert client.get(f"{address}?card=ADASCARD").status_code == status
        assert client.get(f"{address}?card=NOSUCH22").status_code == 404
    response = new_client().get(f"{address}?card=ADASCARD")
    assert response.status_code == (401 if "api" in address else 302)


def test_a_holder_sees_only_their_own_taps(
    ada_client: FormClient, card: Card, cleo: User, create_card: Callable[..., Card], store_taps: Callable[..., None]
) -> None:
    store_taps(card, 3)
    store_taps(create_card(cleo, alias="Cleo's"), 5)
    for series in SERIES:
        values = json.loads(ada_client.get(f"/api/v1/statistics/{series}").data)["values"]
        assert sum(sum(value) if isinstance(value, list) else value for value in values) == 3, series
    assert len(csv_rows(ada_client)) == 3
    page = ada_client.get("/statistics").text
    assert "Cleo" not in page
    assert "Taps in 30 days 3" in words_of(page)


def test_a_former_holder_keeps_their_taps_and_a_new_one_starts_at_zero(
    ada_client: FormClient, card: Card, ada: User, cleo: User, store_taps: Callable[..., None],
    new_client: Callable[[], Any], keys: Any,
) -> None:  # fmt: skip
    store_taps(card, 4)
    claims.claim(card, cleo, keys, code=claims.release(card, ada, keys))
    card.alias = "Secret of Cleo"
    db.session.commit()
    hers = new_client()
    login(hers, cleo)
    assert csv_rows(hers, "?card=ADASCARD") == []
    assert {row["card_token"] for row in csv_rows(ada_client)} == {"ADASCARD"}
    assert ada_client.get("/statistics?card=ADASCARD").status_code == 404
    assert json.loads(ada_client.get("/api/v1/statistics/cards").data) == {"labels": ["ADASCARD"], "values": [4]}
    for path in ("/statistics", "/statistics.csv", "/dashboard"):
        assert "Secret of Cleo" not in ada_client.get(path).text, path
    assert [row.alias for row in routing.latest_taps(ada, 5)] == [None] * 4


# --- counts -----------------------------------------------------------------------------------------------------------


def test_bots_and_own_taps_are_excluded_by_default(
    app: Flask, ada_client: FormClient, card: Card, ada: User, store_taps: Callable[..., None]
) -> None:
    store_taps(card, 2)
    store_taps(card, 3, user_agent=BOT)
    store_taps(card, 4, me=app.extensions["keys"].sign_me(ada.id))
    for query, number in (("", 2), ("?all=y", 9)):
        assert sum(json.loads(ada_client.get(f"/api/v1/statistics/days{query}").data)["values"]) == number
        assert len(csv_rows(ada_client, query)) == number
    assert "Excludes bots and your own taps." in words_of(ada_client.get("/statistics").text)
    assert "Includes bots and your own taps." in words_of(ada_client.get("/statistics?all=y").text)


@pytest.mark.parametrize(("period", "length"), [("7", 7), ("30", 30), ("90", 90), ("365", 365)])
def test_the_daily_series_contains_every_day_until_today(
    ada_client: FormClient, card: Card, store_taps: Callable[..., None], period: str, length: int
) -> None:
    store_taps(card, 2)
    response = ada_client.get(f"/api/v1/statistics/days?period={period}")
    assert response.headers["Cache-Control"] == "no-store"
    series = json.loads(response.data)
    today = today_in(LONDON)
    assert set(series) == {"labels", "values"}
    assert series["labels"] == [(today - timedelta(days=back)).isoformat() for back in range(length)][::-1]
    assert series["values"] == [0] * (length - 1) + [2]


def test_the_change_compares_with_the_previous_period(
    ada_client: FormClient, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card, 6)
    store_taps(card, 4, days_ago=8)
    words = words_of(ada_client.get("/statistics?period=7").text)
    assert re.search(r"Taps in 7 days 6 up 50", words)
    assert "Previous period 4" in words


def test_days_and_hours_are_in_the_time_zone_of_the_shop(
    ada_client: FormClient, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card, at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC))  # 00:30, before the clock change
    store_taps(card, at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC))  # 02:30
    store_taps(card, at=datetime(2026, 3, 29, 23, 30, tzinfo=UTC))  # 00:30 on Monday
    query = "?since=2026-03-29&until=2026-03-30"
    assert json.loads(ada_client.get(f"/api/v1/statistics/days{query}").data)["values"] == [2, 1]
    hours = json.loads(ada_client.get(f"/api/v1/statistics/hours{query}").data)
    assert hours["labels"][0] == "Monday"
    assert (hours["values"][6][0], hours["values"][6][2], hours["values"][0][0]) == (1, 1, 1)
    assert [row["date"] for row in csv_rows(ada_client, query)] == [
        "2026-03-30T00:30:00+01:00", "2026-03-29T02:30:00+01:00", "2026-03-29T00:30:00+00:00"]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "period=free",
        "period=banana",
        "period=free&since=2026-13-45",
        "since=2026-01-02&until=2026-01-01",
        "since=2020-01-01&until=2025-01-01",
        "since=0001-01-01&until=0001-01-02",
        "since=2026-01-01&until=9999-12-31",
        "since=\0",
    ],
)
def test_an_invalid_period_shows_an_error(ada_client: FormClient, card: Card, query: str) -> None:
    page = ada_client.get(f"/statistics?{query}")
    assert page.status_code == 422
    assert "Please fix the following:" in page.text
    assert ada_client.get(f"/statistics.csv?{query}").status_code == 400
    response = ada_client.get(f"/api/v1/statistics/days?{query}")
    assert response.status_code == 400
    assert json.loads(response.data)["error"]


def test_an_unknown_series_is_not_found(ada_client: FormClient) -> None:
    response = ada_client.get("/api/v1/statistics/shoes")
    assert (response.status_code, response.mimetype) == (404, "application/json")


# --- the page ---------------------------------------------------------------------------------------------------------


def test_each_chart_has_a_drawing_and_a_table(
    ada_client: FormClient, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card, 3, country="NG")
    store_taps(card, 1, country="", channel="qr", outcome="setup")
    page = ada_client.get("/statistics").text
    assert page.count("data-series=") == len(SERIES)
    assert page.count('<figure class="tc-chart">') == page.count('class="table tc-num"') == len(SERIES)
    words = words_of(page)
    for label in ("Nigeria", "Unknown", "Phone", "Chip (NFC)", "Opened web address", "Card not set up"):
        assert label in words
    assert "card=ADASCARD" in ada_client.get("/cards/ADASCARD").text
    assert ada_client.get("/statistics?card=ADASCARD").text.count("data-series=") == len(SERIES) - 1


def test_plotly_is_self_hosted_and_loaded_only_on_this_page(
    ada_client: FormClient, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card)
    page = ada_client.get("/statistics")
    [script] = re.findall(r'src="(/static/\w+/js/plotly\.min\.js)"', page.text)
    with ada_client.get(script, headers={"Accept-Encoding": "gzip"}) as response:
        assert response.status_code == 200
        assert response.headers["Content-Encoding"] == "gzip"
    policy = page.headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline';" in policy
    assert "unsafe" not in policy.partition("script-src")[2].partition(";")[0]
    for path in ("/dashboard", "/cards/ADASCARD", "/account"):
        other_response = ada_client.get(path)
        assert "plotly" not in other_response.text
        assert "unsafe-inline" not in other_response.headers["Content-Security-Policy"]


def test_no_large_library_is_imported_at_startup() -> None:
    code = "import sys, tapcard.app; print(sorted({'plotly', 'matplotlib', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_the_csv_contains_each_tap_in_codes(
    ada_client: FormClient, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card, at=datetime(2026, 7, 1, 12, 5, 9, tzinfo=UTC), country="GB", channel="qr")
    query = "?since=2026-07-01&until=2026-07-01"
    assert csv_rows(ada_client, query) == [
        {"date": "2026-07-01T13:05:09+01:00", "card_token": "ADASCARD", "card_name": "Everyday", "channel": "qr",
         "device": "phone", "country": "GB", "outcome": "redirect", "is_bot": "0", "is_own": "0"}]  # fmt: skip
    name = ada_client.get(f"/statistics.csv{query}").headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="usage_\d{4}-\d\d-\d\d_\d\d-\d\d\.csv"', name)
    now = datetime.now(ZoneInfo(LONDON))
    assert f"{now:%Y-%m-%d}" in name or now.hour == 0


def test_the_csv_includes_bots_and_own_taps_like_the_page(
    app: Flask, ada_client: FormClient, card: Card, ada: User, store_taps: Callable[..., None]
) -> None:
    me = app.extensions["keys"].sign_me(ada.id)
    store_taps(card, 4)
    store_taps(card, 3, user_agent=BOT)
    store_taps(card, 2, me=me)
    store_taps(card, 1, user_agent=BOT, me=me)

    def marks(query: str) -> Counter[tuple[str, str]]:
        return Counter((row["is_bot"], row["is_own"]) for row in csv_rows(ada_client, query))

    assert marks("?all=y") == {("0", "0"): 4, ("1", "0"): 3, ("0", "1"): 2, ("1", "1"): 1}
    assert marks("") == {("0", "0"): 4}
    [address] = re.findall(r'href="(/statistics\.csv[^"]*)"', ada_client.get("/statistics?all=y").text)
    assert marks(html.unescape(address).partition("/statistics.csv")[2])[("1", "0")] == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_card_name_that_looks_like_a_formula_is_escaped(
    ada_client: FormClient, card: Card, store_taps: Callable[..., None], start: str
) -> None:
    card.alias = f'{start}HYPERLINK("https://evil.example")'
    store_taps(card)
    [row] = csv_rows(ada_client)
    assert row["card_name"] == f"'{card.alias}"


def test_a_long_csv_is_streamed(
    app: Flask, ada_client: FormClient, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card)
    columns = [column for column in Tap.__table__.c if column.name not in ("id", "uid")]
    [row] = db.session.execute(sa.select(*columns)).mappings().all()
    for batch in range(30):
        values = [{**row, "uid": f"f{batch * 1000 + place:031d}"} for place in range(1000)]
        db.session.execute(sa.insert(Tap), values)
    db.session.commit()
    assert ada_client.get("/statistics.csv").text.count("\n") == 30_002  # warm up caches

    def measured() -> tuple[int, int]:
        response = super(FormClient, ada_client).open("/statistics.csv", method="GET", buffered=False)
        tracemalloc.start()
        length = sum(len(part) for part in response.response)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        response.close()
        return length, most

    db.session.commit()
    length, most = contextvars.Context().run(measured)
    assert length > 1_800_000
    assert most < length / 2, "the whole response was held in memory"
