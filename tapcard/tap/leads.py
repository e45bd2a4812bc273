"""Leads of card holders: list, search, export and delete."""

from datetime import timedelta

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..models import Card, Lead, Profile
from ..services.cards import cards
from ..services.profiles import engagement, leads, profiles, vcards
from ..web import filters
from ..web.access import HOLDER, access
from ..web.csvs import csv_file
from ..web.paging import paginate_clamped
from .blueprint import bp
from .contacts import vcard_file

LEADS_PER_PAGE = 25
PERIOD = timedelta(days=30)


@bp.get("/leads", endpoint="leads")
@access(HOLDER)
def list_leads() -> Response:
    """Show the holder's leads, newest first."""
    own = list(db.session.scalars(profiles.owned_by(current_user)))
    profile = requested_profile(own)
    search = leads.clean_search(request.args.get("search", ""))
    query = leads.search_leads(current_user, search, profile).options(joinedload(Lead.profile))
    page = paginate_clamped(query, LEADS_PER_PAGE)
    return make_response(
        render_template(
            "tap/leads.html",
            page=page,
            cards=card_titles(page.rows),
            search=search,
            profiles=own,
            profile=profile,
            arguments={"search": search or None, "profile": profile.id if profile else None},
            counts=engagement.action_counts(current_user, utcnow() - PERIOD, profile),
        )
    )


@bp.get("/leads.csv")
@access(HOLDER)
def leads_csv() -> Response:
    """Export the selected leads as CSV."""
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
        for lead in db.session.scalars(requested_leads().options(joinedload(Lead.profile)))
    )
    return csv_file("contacts.csv", header, rows)


@bp.get("/leads.vcf")
@access(HOLDER)
def leads_vcf() -> Response:
    """Export the selected leads as vCards."""
    return vcard_file("contacts.vcf", vcards.lead_vcards(db.session.scalars(requested_leads()), site=site()))


@bp.get("/leads/<int:lead_id>.vcf")
@access(HOLDER)
def lead_vcf(lead_id: int) -> Response:
    """Export one lead as a vCard."""
    own = leads.own_lead(current_user, lead_id)
    return vcard_file(f"contact-{own.id}.vcf", vcards.lead_vcards([own], site=site()))


@bp.route("/leads/<int:lead_id>/delete", methods=["GET", "POST"])
@access(HOLDER)
def delete_lead(lead_id: int) -> Response:
    """Delete a lead after confirmation."""
    own = leads.own_lead(current_user, lead_id)
    if request.method == "POST":
        leads.delete(own, current_user)
        db.session.commit()
        flash(_("Lead deleted."), "success")
        return redirect(url_for("tap.leads"))
    return make_response(render_template("tap/lead_delete.html", lead=own))


def card_titles(page_leads: list[Lead]) -> dict[int, str]:
    """Return the titles of the holder's cards that led to these leads, by card id."""
    own = cards.owned_by(current_user).where(Card.id.in_({lead.card_id for lead in page_leads if lead.card_id}))
    return {card.id: card.title for card in db.session.scalars(own)}


def requested_leads() -> Select[Lead]:
    """Return the query for the leads selected by the request."""
    own = list(db.session.scalars(profiles.owned_by(current_user)))
    return leads.search_leads(current_user, leads.clean_search(request.args.get("search", "")), requested_profile(own))


def requested_profile(own: list[Profile]) -> Profile | None:
    """Return the holder's profile named by `?profile=`, if any."""
    return next((profile for profile in own if str(profile.id) == request.args.get("profile")), None)


def site() -> str:
    """Return the URL of this installation."""
    address: str = current_app.config["SITE_URL"]
    return address
