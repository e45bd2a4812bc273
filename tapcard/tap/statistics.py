"""Statistics for card holders: the page, its data as JSON, the CSV export; and unsubscribing from the weekly email."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from flask import Response, abort, current_app, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, DateField, SelectChoice, SelectField
from wtforms.validators import Optional

from ..clock import today_in, utcnow
from ..db import db
from ..errors import DomainError
from ..models import Card, Channel, Device, Outcome
from ..services.cards import cards
from ..services.taps import statistics, weekly_digest
from ..services.taps.statistics import TapQuery, TapRecord
from ..web import filters
from ..web.access import HOLDER, HOLDER_DATA, SIGNED_LINK, access
from ..web.csvs import csv_stream
from ..web.forms import Form, refusals
from ..web.security import allow_inline_styles, csrf
from .blueprint import bp

DEFAULT_PERIOD, CUSTOM_PERIOD = "30", "free"
LAST_TAPS = 20
CHANNELS = {Channel.NFC: lazy_gettext("Chip (NFC)"), Channel.QR: lazy_gettext("QR code")}
DEVICES = {
    Device.PHONE: lazy_gettext("Phone"),
    Device.TABLET: lazy_gettext("Tablet"),
    Device.DESKTOP: lazy_gettext("Computer"),
    Device.OTHER: lazy_gettext("Other device"),
}
OUTCOMES = {
    Outcome.REDIRECT: lazy_gettext("Opened web address"),
    Outcome.PROFILE: lazy_gettext("Opened profile"),
    Outcome.EVENT: lazy_gettext("Opened event"),
    Outcome.CHECK_IN: lazy_gettext("Checked in"),
    Outcome.SETUP: lazy_gettext("Card not set up"),
    Outcome.EDIT: lazy_gettext("Opened card settings"),
}
TABLE = ("date", "card_token", "card_name", "channel", "device", "country", "outcome", "is_bot", "is_own")


class StatisticsForm(Form):
    """The filters of the statistics page; sent by GET, because they change nothing."""

    class Meta(Form.Meta):
        csrf = False

    period = SelectField(
        lazy_gettext("Period"),
        choices=[
            SelectChoice("7", lazy_gettext("Last 7 days")),
            SelectChoice("30", lazy_gettext("Last 30 days")),
            SelectChoice("90", lazy_gettext("Last 90 days")),
            SelectChoice("365", lazy_gettext("Last 365 days")),
            SelectChoice(CUSTOM_PERIOD, lazy_gettext("Custom range")),
        ],
    )
    since = DateField(lazy_gettext("From"), [Optional()])
    until = DateField(lazy_gettext("To"), [Optional()])
    card = SelectField(lazy_gettext("Card"))
    all = BooleanField(lazy_gettext("Include bots and your own taps"))

    def span(self, today: date) -> tuple[date, date]:
        """Return the first and last day of the chosen period; raise `InvalidPeriod` if they are not a valid range."""
        if self.period.data == CUSTOM_PERIOD:
            return statistics.check_period(self.since.data, self.until.data, today)
        return today - timedelta(days=int(self.period.data) - 1), today


@dataclass(frozen=True)
class Chart:
    """The data and labels of a chart and of the table below it, with the URL of the same data as JSON."""

    name: str
    title: str
    x_title: str
    y_title: str
    kind: str  # days, rows or week
    labels: list[str]
    values: list[Any]
    url: str = ""
    days: list[tuple[date, int]] = field(default_factory=list)


@bp.get("/statistics", endpoint="statistics")
@access(HOLDER)
def show_statistics() -> tuple[str, int]:
    """Show the holder's statistics for a period, for all cards or for one of them."""
    own = own_cards()
    form, card = read_form(own)
    today = today_in(zone())
    query = None
    if form.validate():
        with refusals(form):
            query = query_from(form, card, today)
    allow_inline_styles()
    if query is None:
        return render_template("tap/statistics.html", form=form, query=None, card=card), 422
    days = statistics.per_day(query)
    total, before = sum(number for _day, number in days), statistics.total(query.before())
    page = render_template(
        "tap/statistics.html",
        form=form,
        query=query,
        card=card,
        ends_today=query.last == today,
        days=days,
        total=total,
        change=round((total - before) * 100 / before) if before else None,
        before=before,
        charts=charts_of(query, days) if total else [],
        last_taps=tap_rows(query) if total else [],
        csv_url=url_for("tap.statistics_csv", **arguments(query)),
    )
    return page, 200


@bp.get("/api/v1/statistics/<series>")
@access(HOLDER_DATA)
def statistics_series(series: str) -> AnyResponse:
    """Return a data series as JSON: `labels` and one value per label; for `hours`, 24 values per weekday."""
    if series not in SERIES:
        return answer({"error": _("We couldn't find those statistics.")}, 404)
    try:
        query = requested_query()
    except DomainError as error:
        return answer({"error": _(error.message, **error.params)}, error.status)
    chart = SERIES[series](query)
    return answer({"labels": chart.labels, "values": chart.values})


@bp.get("/statistics.csv")
@access(HOLDER)
def statistics_csv() -> Response:
    """Export every tap of the period as CSV, newest first."""
    rows = csv_rows(statistics.stream_taps(requested_query(), zone()), ZoneInfo(zone()))
    return csv_stream(f"usage_{filters.local(utcnow()):%Y-%m-%d_%H-%M}.csv", TABLE, rows)


@bp.route("/mails/weekly/<token>", methods=["GET", "POST"])
@csrf.exempt  # mail programs send this request without loading our page first (RFC 8058); the link itself is signed
@access(SIGNED_LINK)
def stop_weekly_mail(token: str) -> str:
    """Unsubscribe from the weekly email without logging in; a GET request changes nothing."""
    user = weekly_digest.user_by_unsubscribe_token(token, current_app.extensions["keys"])
    if user is None:
        abort(404)
    if request.method == "POST":
        weekly_digest.unsubscribe(user)
        db.session.commit()
    return render_template("tap/stop_weekly_mail.html", is_stopped=not user.wants_weekly_mail)


# --- filters ----------------------------------------------------------------------------------------------------------


def zone() -> str:
    """Return the shop's time zone, which determines days and hours."""
    return filters.shop().time_zone


def answer(content: dict[str, Any], status: int = 200) -> Response:
    """Return a JSON response that must not be cached."""
    response = jsonify(content)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def own_cards() -> list[Card]:
    """Return the holder's cards in the order of the dashboard."""
    return list(db.session.scalars(cards.owned_by(current_user)))


def read_form(own: list[Card]) -> tuple[StatisticsForm, Card | None]:
    """Return the form filled from the query string, and the selected card; raise `CardNotFound` for other people's."""
    params = MultiDict(request.args)
    params.setdefault("period", CUSTOM_PERIOD if params.get("since") else DEFAULT_PERIOD)
    params.setdefault("card", "")
    token = cards.clean_token(params["card"])
    card = next((card for card in own if card.token == token), None)
    if token and card is None:
        raise cards.CardNotFound(_("We couldn't find that card."))
    params["card"] = token
    form = StatisticsForm(params)
    form.card.choices = [
        SelectChoice("", _("All cards")),
        *(SelectChoice(card.token, card.title) for card in own),
    ]
    return form, card


def query_from(form: StatisticsForm, card: Card | None, today: date) -> TapQuery:
    """Build the query for a valid form."""
    first, last = form.span(today)
    form.since.data, form.until.data = first, last
    return TapQuery(current_user, first, last, card, bool(form.all.data))


def requested_query() -> TapQuery:
    """Build the query from the query string; raise a `DomainError` where the page would show an error."""
    form, card = read_form(own_cards())
    if not form.validate():
        raise statistics.InvalidPeriod("%(reason)s", reason=next(str(errors[0]) for errors in form.errors.values()))
    return query_from(form, card, today_in(zone()))


def arguments(query: TapQuery) -> dict[str, Any]:
    """Return the URL parameters that reproduce a query."""
    params: dict[str, Any] = {
        "period": CUSTOM_PERIOD,
        "since": query.first.isoformat(),
        "until": query.last.isoformat(),
    }
    if query.card is not None:
        params["card"] = query.card.token
    return {**params, "all": "y"} if query.with_everything else params


# --- charts and tables ------------------------------------------------------------------------------------------------


def charts_of(query: TapQuery, days: list[tuple[date, int]]) -> list[Chart]:
    """Return the charts of the page in display order."""
    counts = statistics.breakdown(query)
    return [
        days_chart(query, days),
        hours_chart(query),
        *([] if query.card else [cards_chart(query)]),
        devices_chart(query, counts),
        countries_chart(query, counts),
        outcomes_chart(query, counts),
        channels_chart(query, counts),
    ]


def days_chart(query: TapQuery, days: list[tuple[date, int]] | None = None) -> Chart:
    """Return the chart of taps per day."""
    days = statistics.per_day(query) if days is None else days
    labels, values = [day.isoformat() for day, _number in days], [number for _day, number in days]
    url = series_url("days", query)
    return Chart("days", _("Taps per day"), _("Day"), _("Taps"), "days", labels, values, url, days)


def cards_chart(query: TapQuery) -> Chart:
    """Return the chart of taps per card."""
    counts = [
        (count.alias or count.token or _("Unknown card"), count.tap_count) for count in statistics.per_card(query)
    ]
    return rows_chart("cards", _("Taps by card"), _("Card"), query, counts)


def channels_chart(query: TapQuery, counts: statistics.TapBreakdown | None = None) -> Chart:
    """Return the chart of taps by channel."""
    counts = counts or statistics.breakdown(query)
    labeled = [(str(CHANNELS[channel]), number) for channel, number in counts.channels]
    return rows_chart("channels", _("Taps by source"), _("Source"), query, labeled)


def devices_chart(query: TapQuery, counts: statistics.TapBreakdown | None = None) -> Chart:
    """Return the chart of taps by device type."""
    counts = counts or statistics.breakdown(query)
    labeled = [(str(DEVICES[device]), number) for device, number in counts.devices]
    return rows_chart("devices", _("Taps by device"), _("Device"), query, labeled)


def countries_chart(query: TapQuery, counts: statistics.TapBreakdown | None = None) -> Chart:
    """Return the chart of taps by country."""
    counts = counts or statistics.breakdown(query)
    labeled = [(country_name(code), number) for code, number in counts.countries]
    return rows_chart("countries", _("Taps by country"), _("Country"), query, labeled)


def outcomes_chart(query: TapQuery, counts: statistics.TapBreakdown | None = None) -> Chart:
    """Return the chart of taps by outcome."""
    counts = counts or statistics.breakdown(query)
    labeled = [(outcome_name(outcome), number) for outcome, number in counts.outcomes]
    return rows_chart("outcomes", _("Taps by result"), _("Result"), query, labeled)


def hours_chart(query: TapQuery) -> Chart:
    """Return the chart of taps by weekday and hour."""
    names = get_day_names("wide", locale=filters.shop().locale)
    labels = [names[place] for place in range(7)]
    values = statistics.per_hour_of_week(query, zone())
    url = series_url("hours", query)
    return Chart("hours", _("Taps by day and hour"), _("Hour"), _("Day"), "week", labels, values, url)


def rows_chart(name: str, title: str, heading: str, query: TapQuery, counts: list[tuple[str, int]]) -> Chart:
    """Return a bar chart of labels and their counts, in the given order."""
    labels, values = [label for label, _number in counts], [number for _label, number in counts]
    return Chart(name, title, _("Taps"), heading, "rows", labels, values, series_url(name, query))


SERIES: dict[str, Callable[[TapQuery], Chart]] = {
    "days": days_chart,
    "cards": cards_chart,
    "hours": hours_chart,
    "devices": devices_chart,
    "countries": countries_chart,
    "channels": channels_chart,
    "outcomes": outcomes_chart,
}


def series_url(name: str, query: TapQuery) -> str:
    """Return the URL of a chart's data as JSON."""
    return url_for("tap.statistics_series", series=name, **arguments(query))


def country_name(code: str) -> str:
    """Return the name of a country, else its code, or "Unknown" without a code."""
    return filters.country_name(code) or (code or _("Unknown"))


def outcome_name(outcome: Outcome) -> str:
    """Return the label of an outcome."""
    return str(OUTCOMES.get(outcome, outcome.value))


@dataclass(frozen=True)
class TapRow:
    """A tap formatted for display."""

    card_title: str
    tapped_at: object
    device: str
    country_name: str
    channel: str


def tap_rows(query: TapQuery) -> list[TapRow]:
    """Return the latest taps of the period for display."""
    return [
        TapRow(
            card_title=row.alias or row.token or _("Unknown card"),
            tapped_at=row.tapped_at,
            device=" · ".join(filter(None, (str(DEVICES[row.device or Device.OTHER]), row.os_family))),
            country_name=country_name(row.country),
            channel=row.channel.value,
        )
        for row in statistics.latest_taps(query, zone(), LAST_TAPS)
    ]


def csv_rows(records: Iterator[TapRecord], time_zone: ZoneInfo) -> Iterator[tuple[object, ...]]:
    """Yield a CSV row per tap, with codes that are the same in every language."""
    for record in records:
        at = record.tapped_at.astimezone(time_zone).isoformat(timespec="seconds")
        device = record.device or Device.OTHER
        codes = (record.channel.value, device.value, record.country, record.outcome.value)
        yield at, record.token, record.alias, *codes, int(record.is_bot), int(record.is_own)
