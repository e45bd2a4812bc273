"""Visitor actions on a public profile: save the contact, open a link, share one's own contact details."""

import logging
from contextlib import suppress

from flask import Response, abort, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from .. import files, images
from ..clock import utcnow
from ..db import db, separate_transaction
from ..errors import NotFound
from ..keys import ME_COOKIE
from ..models import Profile, ProfileActionKind
from ..services.cards import blocked_hosts, target_urls
from ..services.profiles import engagement, leads, profiles, vcards
from ..services.profiles.engagement import Action
from ..services.profiles.profiles import ProfileNotFound
from ..services.taps import user_agents
from ..web import filters, rate_limits, uploads
from ..web.access import HOLDER, PUBLIC, access
from ..web.forms import refusals
from ..web.qr_files import qr_file
from ..web.throttling import form_status, throttle
from .blueprint import bp
from .lead_forms import LeadForm
from .profiles import profile_url, redirect_to_profile
from .recorder import MAX_USER_AGENT_LENGTH, TapRecorder, cookie, is_counted

logger = logging.getLogger(__name__)
ACTION_TIMEOUT = 1.0  # seconds a response may wait for its action to be recorded


@bp.app_template_global()
def counted_url(profile: Profile, key: str, href: str) -> str:
    """Return the URL for a row of a public profile: links to other sites pass through ours to be counted.

    Links of a profile that is not stored yet, as in a preview, are not counted.
    """
    is_counted_here = profile.id is not None and href.startswith(engagement.WEB_PREFIXES)
    return url_for("tap.open_link", slug=profile.slug, key=key) if is_counted_here else href


@bp.get("/p/<slug>.vcf")
@access(PUBLIC)
def vcard(slug: str) -> AnyResponse:
    """Download a profile as a vCard."""
    profile = visible_profile(slug)
    if slug != profile.slug:
        return redirect_to_profile(profile, "tap.vcard")
    site = current_app.config["SITE_URL"]
    hosts = {
        host
        for url in (profile.website, *(link.url for link in profile.links))
        if url and (host := target_urls.host_of(url))
    }
    data = vcards.profile_vcard(
        profile,
        address=f"{site}/p/{profile.slug}",
        site=site,
        photo=contact_photo(profile),
        now=utcnow(),
        blocked=blocked_hosts.filter_blocked(hosts),
    )
    record(profile.id, profile.owner_id, ProfileActionKind.CONTACT_SAVED)
    return vcard_file(f"{profile.slug}.vcf", data)


@bp.get("/p/<slug>/open/<key>")
@access(PUBLIC)
def open_link(slug: str, key: str) -> AnyResponse:
    """Redirect to one of the profile's own links."""
    profile = visible_profile(slug)
    url = engagement.web_links(profile).get(key)
    if url is None or blocked_hosts.is_blocked(target_urls.host_of(url)):
        abort(404)
    record(profile.id, profile.owner_id, ProfileActionKind.LINK_OPENED, key[:100])
    response = redirect(url)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.route("/p/<slug>/share", methods=["GET", "POST"])
@access(PUBLIC)
def share_contact(slug: str) -> AnyResponse:
    """Show the form for visitors to share their contact details, and store the submitted details."""
    visitor = visitor_hash() if request.method == "POST" else None  # before this request's own transaction begins
    profile = visible_profile(slug)
    if slug != profile.slug and request.method != "POST":
        return redirect_to_profile(profile, "tap.share_contact")
    form = LeadForm(profile, consent_text(profile), filters.shop().country)
    if form.validate_on_submit():
        with refusals(form):
            return store_lead(profile, form, visitor)
    page = render_template("tap/lead_share.html", profile=profile, form=form)
    return make_response(page, *form_status(form))


@bp.get("/p/<slug>/shared")
@access(PUBLIC)
def contact_shared(slug: str) -> AnyResponse:
    """Thank the visitor; the page is the same in every case."""
    profile = visible_profile(slug)
    return make_response(render_template("tap/lead_shared.html", profile=profile))


@bp.get("/profiles/<int:profile_id>/qr.<kind>")
@access(HOLDER)
def profile_qr(profile_id: int, kind: str) -> Response:
    """Download the QR code of a profile for its owner to print."""
    own = profiles.own_profile(current_user, profile_id)
    return qr_file(profile_url(own), kind, name=f"{own.slug}-qr", title=own.name)


def visible_profile(slug: str) -> Profile:
    """Return the profile with a current or former slug; raise `ProfileNotFound` if the visitor may not see it."""
    profile = profiles.find_by_slug(slug).profile
    if not profile.is_public and current_user.id != profile.owner_id:
        raise ProfileNotFound(_("We couldn't find that profile."))
    return profile


def consent_text(profile: Profile) -> str:
    """Return the consent text visitors agree to; it is stored with the lead."""
    return _(
        "I agree to share these details with %(name)s through %(shop)s and to be contacted by %(name)s. "
        "The details are kept until %(name)s deletes them.",
        name=profile.name,
        shop=filters.shop().shop_name,
    )


def store_lead(profile: Profile, form: LeadForm, visitor: str | None) -> AnyResponse:
    """Store a lead; spam and duplicates get the same response."""
    slug, profile_id, owner_id = profile.slug, profile.id, profile.owner_id
    throttle("lead", account=profile_id, address=True)
    response = redirect(url_for("tap.contact_shared", slug=slug))
    if form.is_from_bot:
        return response
    now = utcnow()
    card_id = None
    if visitor is not None:
        card_id = engagement.card_that_led_to(db.session.connection(), visitor, profile_id, owner_id, now)
    lead = leads.receive(profile, form.submission(), consent_text=form.consent_text, now=now, card_id=card_id)
    db.session.commit()
    if lead is not None:
        record_lead(profile_id, owner_id, card_id)
    return response


def vcard_file(name: str, data: bytes) -> Response:
    """Return a vCard as a download; `name` must be plain ASCII."""
    response = Response(data, content_type="text/vcard; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def contact_photo(profile: Profile) -> bytes | None:
    """Return a small JPEG of a profile's photo, or None if there is no readable photo."""
    if not profile.photo:
        return None
    try:
        with files.open_upload(profile.photo, uploads.folder()) as file:
            return images.make_contact_photo(file.read())
    except (NotFound, images.InvalidImage):
        return None


# --- recording actions ------------------------------------------------------------------------------------------------


def visitor_hash() -> str | None:
    """Return the visitor's pseudonym for today, as used for taps; None if its key cannot be read."""
    recorder: TapRecorder = current_app.extensions["tap_recorder"]
    with suppress(SQLAlchemyError):
        return recorder.visitors.hash(request.remote_addr or "", user_agent())
    return None


def user_agent() -> str:
    """Return the User-Agent header, truncated as for taps."""
    return request.environ.get("HTTP_USER_AGENT", "")[:MAX_USER_AGENT_LENGTH].replace("\0", "")


def record(profile_id: int, owner_id: int, kind: ProfileActionKind, detail: str = "") -> None:
    """Record a visitor's action; HEAD requests and prefetching are ignored."""
    if is_counted(request.environ):
        store_action(profile_id, owner_id, kind, detail=detail, visitor=visitor_hash())


def record_lead(profile_id: int, owner_id: int, card_id: int | None) -> None:
    """Record that a lead was sent, without the pseudonym: it would link the day's taps to a name."""
    store_action(profile_id, owner_id, ProfileActionKind.LEAD_SENT, card_id=card_id)


def store_action(
    profile_id: int,
    owner_id: int,
    kind: ProfileActionKind,
    *,
    detail: str = "",
    visitor: str | None = None,
    card_id: int | None = None,
) -> None:
    """Store an action on a separate connection; database errors are logged and do not affect the response."""
    if not rate_limits.allows_profile_action():
        return
    now = utcnow()
    me = current_app.extensions["keys"].unsign_me(cookie(request.environ, ME_COOKIE))
    try:
        with separate_transaction(timeout=ACTION_TIMEOUT) as connection:
            if visitor is not None:
                card_id = engagement.card_that_led_to(connection, visitor, profile_id, owner_id, now)
            action = Action(
                profile_id=profile_id,
                owner_id=owner_id,
                kind=kind,
                at=now,
                visitor=visitor,
                is_bot=user_agents.classify(user_agent()).is_bot,
                is_own=me == owner_id,
                detail=detail,
                card_id=card_id,
            )
            engagement.record(connection, action)
    except SQLAlchemyError:
        logger.exception("could not record visitor action")
