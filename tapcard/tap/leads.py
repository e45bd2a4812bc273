"""A holder's leads: looking, searching, taking them elsewhere, deleting."""

from datetime import timedelta

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..ids import parse_number
from ..models import Card, Lead, Profile
from ..services.cards import cards
from ..services.profiles import engagement, leads, profiles, vcards
from ..web import filters
from ..web.access import HOLDER, access
from ..web.csvs import csv_file
from .blueprint import bp
from .contacts import vcard_file

PAGE = 25
PERIOD = timedelta(days=30)


@bp.get("/leads", endpoint="leads")
@access(HOLDER)
def list_leads() -> Response:
    """The contacts that visitors left, the newest first."""
    own = list(db.session.scalars(profiles.owned_by(current_user)))
    chosen = asked_profile(own)
    search = leads.clean_search(request.args.get("search", ""))
    found = leads.search_leads(current_user, search, chosen)
    total = leads.count_leads(found)
    pages = max(1, -(-total // PAGE))
    page = min(asked_page(), pages)
    shown = list(db.session.scalars(found.options(joinedload(Lead.profile)).limit(PAGE).offset((page - 1) * PAGE)))
    return make_response(
        render_template(
            "tap/leads.html",
            leads=shown,
            cards=card_titles(shown),
            total=total,
            page=page,
            pages=pages,
            search=search,
            profiles=own,
            chosen=chosen,
            question={"search": search or None, "profile": chosen.id if chosen else None},
            counts=engagement.action_counts(current_user, utcnow() - PERIOD, chosen),
        )
    )


@bp.get("/leads.csv")
@access(HOLDER)
def leads_csv() -> Response:
    """The leads that are looked at, for a spreadsheet."""
    header = (_("Name"), _("Email"), _("Phone"), _("Note"), _("Profile"), _("Received"), _("Consent"))
    rows = (
        (
            lead.name,
            lead.email,
            lead.phone,
            lead.note,
            lead.profile.name if lead.profile else "",
            filters.local(lead.created_at).strftime("%Y-%m-%d %H:%M"),
            lead.consent_text,
        )
        for lead in db.session.scalars(asked_leads().options(joinedload(Lead.profile)))
    )
    return csv_file("contacts.csv", header, rows)


@bp.get("/leads.vcf")
@access(HOLDER)
def leads_vcf() -> Response:
    """The leads that are looked at, for an address book."""
    return vcard_file("contacts.vcf", vcards.lead_vcards(db.session.scalars(asked_leads()), site=site()))


@bp.get("/leads/<int:lead_id>.vcf")
@access(HOLDER)
def lead_vcf(lead_id: int) -> Response:
    """One lead, for an address book."""
    own = leads.own_lead(current_user, lead_id)
    return vcard_file(f"contact-{own.id}.vcf", vcards.lead_vcards([own], site=site()))


@bp.route("/leads/<int:lead_id>/delete", methods=["GET", "POST"])
@access(HOLDER)
def delete_lead(lead_id: int) -> Response:
    """Delete a lead, after asking."""
    own = leads.own_lead(current_user, lead_id)
    if request.method == "POST":
        leads.delete(own, current_user)
        db.session.commit()
        flash(_("Contact deleted."), "success")
        return redirect(url_for("tap.leads"))
    return make_response(render_template("tap/lead_delete.html", lead=own))


def card_titles(shown: list[Lead]) -> dict[int, str]:
    """The names of the holder's cards after whose taps leads were left."""
    own = cards.owned_by(current_user).where(Card.id.in_({lead.card_id for lead in shown if lead.card_id}))
    return {card.id: card.title for card in db.session.scalars(own)}


def asked_leads() -> Select[Lead]:
    """The selection that this request's question means."""
    own = list(db.session.scalars(profiles.owned_by(current_user)))
    return leads.search_leads(current_user, leads.clean_search(request.args.get("search", "")), asked_profile(own))


def asked_profile(own: list[Profile]) -> Profile | None:
    """The holder's profile that this request is about, if it names one."""
    return next((each for each in own if str(each.id) == request.args.get("profile")), None)


def asked_page() -> int:
    """The page of a list that this request asks for."""
    return parse_number(request.args.get("page"), max_digits=8) or 1


def site() -> str:
    """Where this installation is found."""
    address: str = current_app.config["SITE_URL"]
    return address
