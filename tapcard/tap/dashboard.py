"""Pages for card holders: the dashboard and the page of a single card."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, current_app, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from .. import qr
from ..clock import today_in, utcnow
from ..db import db
from ..models import Card, CardStatus, Device, LockedBecause, Profile, Target
from ..services.cards import cards, claims, transfers, transitions
from ..services.cards.cards import CardChanges
from ..services.orders import queries
from ..services.profiles import found_reports, leads
from ..services.taps import rollups, routing
from ..web import filters
from ..web.access import HOLDER, access
from ..web.forms import refusals
from ..web.qr_files import qr_file
from ..web.redirects import own_hosts
from .blueprint import bp
from .forms import CardForm, ReleaseForm
from .history import history

PERIOD = 30
LAST_TAPS = 8
LATEST_LEADS = 3


@dataclass(frozen=True)
class CardTile:
    """A card formatted for the dashboard."""

    card: Card
    tap_count: int
    destination: str


@dataclass(frozen=True)
class TapRow:
    """A tap formatted for display."""

    card_title: str
    tapped_at: object
    device: str
    country_name: str
    channel: str


@bp.get("/dashboard")
@access(HOLDER)
def dashboard() -> str:
    """Show the holder's cards, the taps of the last 30 days and the latest taps."""
    today = today_in(filters.shop().time_zone)
    first = today - timedelta(days=PERIOD - 1)
    days = rollups.taps_per_day(current_user, first - timedelta(days=PERIOD), today)
    before, now = sum(n for _d, n in days[:PERIOD]), sum(n for _d, n in days[PERIOD:])
    query = cards.ever_owned_by(current_user).options(joinedload(Card.design), joinedload(Card.profile))
    all_cards = db.session.scalars(query).all()
    replacements = {card.id: card.replaced_by_id for card in all_cards if card.replaced_by_id is not None}
    numbers = rollups.taps_per_card(current_user, first, today, replacements)
    own = [card for card in all_cards if card.status is not CardStatus.RETIRED]
    tiles = [CardTile(card, numbers.get(card.id, 0), describe_destination(card)) for card in own]
    return render_template(
        "tap/dashboard.html",
        cards=tiles,
        days=days[PERIOD:],
        total=now,
        change=round((now - before) * 100 / before) if before else None,
        last_taps=tap_rows(None),
        profiles=own_profiles(),
        leads=leads.latest(current_user, LATEST_LEADS),
        arriving=queries.undelivered_card_lines(current_user),
        offers=transfers.open_offers_to(current_user, utcnow()),
        unverified=not current_user.is_verified,
    )


@bp.route("/cards/<token>", methods=["GET", "POST"])
@access(HOLDER)
def card(token: str) -> AnyResponse:
    """Show a card with its name, destination, QR code, taps and history, and save changes to it."""
    own = cards.own_card(current_user, token)
    profiles = own_profiles()
    form = card_form(own, profiles)
    if form.validate_on_submit():
        with refusals(form):
            return save_card(own, form, profiles)
    return card_page(own, form)


def card_form(own: Card, profiles: list[Profile]) -> CardForm:
    """Return the form filled with the stored values."""
    return CardForm(
        profiles,
        data={
            "alias": own.alias,
            "target": own.target.value if own.target in (Target.URL, Target.PROFILE) else Target.URL.value,
            "reroute_url": own.reroute_url,
            "profile": own.profile_id,
        },
    )


def save_card(own: Card, form: CardForm, profiles: list[Profile]) -> AnyResponse:
    """Save the form; without a profile to open yet, continue with creating one."""
    target = Target(form.target.data)
    profile = next((profile for profile in profiles if profile.id == form.profile.data), None)
    changes = CardChanges(
        alias=form.alias.data or "", target=target, reroute_url=form.reroute_url.data or "", profile=profile
    )
    cards.edit(own, current_user, changes, own_hosts=own_hosts())
    db.session.commit()
    if target is Target.PROFILE and profile is None:
        flash(_("Changes saved. Now create the profile this card opens."), "success")
        return redirect(url_for("tap.new_profile", card=own.token))
    flash(_("Changes saved. They apply from the next tap."), "success")
    return redirect(url_for("tap.card", token=own.token))


def card_page(own: Card, form: CardForm) -> AnyResponse:
    """Render the page of a card."""
    today = today_in(filters.shop().time_zone)
    page = render_template(
        "tap/card.html",
        card=own,
        form=form,
        test_url=url_for("tap.tap_nfc", token=own.token),
        qr=Markup(qr.svg(printed_url(own))),  # noqa: S704  drawn by segno from our own address
        days=rollups.taps_per_day(current_user, today - timedelta(days=PERIOD - 1), today, own),
        last_taps=tap_rows(own),
        history=history(own),
        offer=transfers.open_offer_of(own, utcnow()),
        may_be_reported=found_reports.can_be_reported(own),
    )
    return make_response(page, 422 if form.errors else 200)


@bp.post("/cards/<token>/lock")
@access(HOLDER)
def lock_card(token: str) -> AnyResponse:
    """Deactivate a lost card."""
    transitions.lock(cards.own_card(current_user, token), LockedBecause.LOST, current_user)
    db.session.commit()
    flash(_("Card marked as lost. It won't open anything until you reactivate it."), "success")
    return redirect(url_for("tap.card", token=token))


@bp.post("/cards/<token>/unlock")
@access(HOLDER)
def unlock_card(token: str) -> AnyResponse:
    """Reactivate a card."""
    transitions.unlock(cards.own_card(current_user, token), current_user)
    db.session.commit()
    flash(_("Card reactivated."), "success")
    return redirect(url_for("tap.card", token=token))


@bp.route("/cards/<token>/release", methods=["GET", "POST"])
@access(HOLDER)
def release_card(token: str) -> AnyResponse:
    """Release a card after confirmation; the new claim code is shown once."""
    own = cards.own_card(current_user, token)
    form = ReleaseForm()
    if form.validate_on_submit():
        with refusals(form):
            code = claims.release(own, current_user, current_app.extensions["keys"])
            db.session.commit()
            return make_response(render_template("tap/released.html", card=own, code=code))
    return make_response(render_template("tap/release.html", card=own, form=form), 422 if form.errors else 200)


@bp.get("/cards/<token>/qr.<kind>")
@access(HOLDER)
def card_qr(token: str, kind: str) -> Response:
    """Download the QR code for printing, as SVG or PNG."""
    own = cards.own_card(current_user, token)
    return qr_file(printed_url(own), kind, name=f"tapcard-{own.token}")


def printed_url(own: Card) -> str:
    """Return the URL in the QR code, based on the configured site and never on the request's host."""
    return f"{current_app.config['SITE_URL']}/q/{own.token}"


def own_profiles() -> list[Profile]:
    """Return the holder's profiles, oldest first."""
    return list(db.session.scalars(select(Profile).where(Profile.owner_id == current_user.id).order_by(Profile.id)))


def describe_destination(card: Card) -> str:
    """Describe a card's destination."""
    if card.status is CardStatus.LOCKED:
        return _("Deactivated")
    if card.target is Target.URL and card.reroute_url:
        return card.reroute_url.removeprefix("https://").removeprefix("http://").rstrip("/")
    if card.target is Target.PROFILE and card.profile is not None:
        return _("Profile: %(name)s", name=card.profile.name)
    return _("No destination yet")


def tap_rows(card: Card | None) -> list[TapRow]:
    """Return the latest taps for display, of one card or of all."""
    names = {
        Device.PHONE: _("Phone"),
        Device.TABLET: _("Tablet"),
        Device.DESKTOP: _("Computer"),
        Device.OTHER: _("Other device"),
    }
    rows = routing.latest_taps(current_user, LAST_TAPS, card)
    return [
        TapRow(
            card_title=row.alias or row.token,
            tapped_at=row.tapped_at,
            device=" · ".join(filter(None, (names.get(row.device, names[Device.OTHER]), row.os_family))),
            country_name=filters.country_name(row.country),
            channel=row.channel.value,
        )
        for row in rows
    ]
