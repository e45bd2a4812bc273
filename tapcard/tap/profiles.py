"""Profiles: the pages for their owners, and the public page."""

from typing import Any

from flask import abort, current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from .. import qr
from ..clock import utcnow
from ..db import db, set_writing, transactions
from ..errors import TooManyAttempts
from ..models import Card, Profile, ProfileLink, ProfileTheme
from ..services.cards import cards
from ..services.core import uploads
from ..services.profiles import links as profile_links
from ..services.profiles import profiles, slugs
from ..web import assets, filters
from ..web.access import HOLDER, PUBLIC, access
from ..web.forms import refusals
from ..web.throttling import throttle
from .blueprint import bp
from .profile_forms import PICTURES, ProfileForm

PREVIEWS = ("tap.preview_new_profile", "tap.preview_profile")
WITH_PICTURES = ("tap.new_profile", "tap.edit_profile", *PREVIEWS)
MAX_REQUEST_BYTES = 32 * 1024 * 1024
ICONS = {"phone": "telephone", "email": "envelope", "website": "globe", "address": "geo-alt", "x": "twitter-x"}
LINK_ICONS = {"web": "link-45deg", "mailto": "envelope", "tel": "telephone", "sms": "chat-dots"}
NO_PICTURE = "img/touch-icon.png"


@bp.url_value_preprocessor
def raise_upload_limit(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Raise the request size limit so the form can report an oversized picture; runs before the form is parsed."""
    if endpoint in WITH_PICTURES and "_user_id" in session:
        request.max_content_length = MAX_REQUEST_BYTES
    if endpoint in PREVIEWS:
        set_writing(False)  # sent at every pause in typing, so it must not block other requests


@bp.get("/profiles", endpoint="profiles")
@access(HOLDER)
def list_profiles() -> str:
    """Show the holder's profiles."""
    own = list(db.session.scalars(profiles.owned_by(current_user)))
    return render_template("tap/profiles.html", profiles=own, card_counts=profiles.card_counts(current_user))


@bp.route("/profiles/new", methods=["GET", "POST"])
@access(HOLDER)
def new_profile() -> Response:
    """Create a profile; with `?card=`, that card opens it from then on."""
    form = ProfileForm(filters.shop().country, None, name=current_user.full_name)
    store_pictures(form)
    card = requested_card()
    if form.validate_on_submit():
        with refusals(form):
            profile = profiles.create(current_user, form.texts, region=form.region, appearance=form.appearance())
            if card is not None:
                cards.point_to_profile(card, profile, current_user)
            db.session.commit()
            return redirect_after_creation(profile, card)
    return profile_form(form, None, card)


def redirect_after_creation(profile: Profile, card: Card | None) -> Response:
    """Confirm the new profile and redirect to the card, or to the profile if no card was given."""
    if card is None:
        flash(_("Profile created. To use it, open one of your cards and select this profile."), "success")
        return redirect(url_for("tap.edit_profile", profile_id=profile.id))
    flash(_("Profile created. %(card)s now opens it.", card=card.title), "success")
    return redirect(url_for("tap.card", token=card.token))


@bp.route("/profiles/<int:profile_id>", methods=["GET", "POST"])
@access(HOLDER)
def edit_profile(profile_id: int) -> Response:
    """Show and save the form for editing a profile."""
    own = profiles.own_profile(current_user, profile_id)
    form = ProfileForm(filters.shop().country, own)
    if store_pictures(form):
        own = profiles.own_profile(current_user, profile_id)
    else:
        form.version.data = own.version
    if form.validate_on_submit():
        with refusals(form):
            profiles.update(
                own,
                current_user,
                form.texts,
                region=form.region,
                version=form.seen_version,
                appearance=form.appearance(profiles.appearance_of(own)),
            )
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect(url_for("tap.edit_profile", profile_id=own.id))
    return profile_form(form, own, None)


@bp.route("/profiles/<int:profile_id>/delete", methods=["GET", "POST"])
@access(HOLDER)
def delete_profile(profile_id: int) -> Response:
    """Delete a profile after confirmation."""
    own = profiles.own_profile(current_user, profile_id)
    if request.method == "POST":
        profiles.delete(own, current_user)
        db.session.commit()
        flash(_("Profile deleted."), "success")
        return redirect(url_for("tap.profiles"))
    number = profiles.card_counts(current_user).get(own.id, 0)
    return make_response(render_template("tap/profile_delete.html", profile=own, card_count=number))


@bp.post("/profiles/preview", endpoint="preview_new_profile")
@bp.post("/profiles/<int:profile_id>/preview", endpoint="preview_profile")
@access(HOLDER)
def preview(profile_id: int | None = None) -> Response:
    """Show a preview of the unsaved form; with `part`, only the fragment the form's script needs. Stores no changes."""
    own = profiles.own_profile(current_user, profile_id) if profile_id is not None else None
    form = ProfileForm(filters.shop().country, own)
    user_id = current_user.id
    db.session.rollback()  # release the database: processing a picture may take a second
    with transactions(writing=True):
        limit_pictures(form, user_id)
    pictures = form.preview_pictures(user_id)
    profile = profiles.preview(form.texts, form.region, form.appearance())
    own = profiles.own_profile(current_user, profile_id) if profile_id is not None else None
    links = profile_links.links_of(own) if own else []
    return profile_page(
        profile, links, preview_pictures=pictures, is_part="part" in request.args, is_wrong=not form.validate()
    )


@bp.get("/p/<slug>")
@access(PUBLIC)
def profile(slug: str) -> Response:
    """Show the public page; a former slug redirects to it unless another profile has taken that slug."""
    match = profiles.find_by_slug(slug)
    public_profile = match.profile
    is_own = current_user.is_authenticated and current_user.id == public_profile.owner_id
    if not public_profile.is_public and not is_own:
        return make_response(render_template("tap/profile_hidden.html"), 404)
    if match.is_moved:
        return redirect_to_profile(public_profile)
    if slug != public_profile.slug:
        return redirect(url_for("tap.profile", slug=public_profile.slug), 301)
    return profile_page(public_profile, profile_links.links_of(public_profile), is_own=is_own)


def redirect_to_profile(profile: Profile, endpoint: str = "tap.profile") -> Response:
    """Redirect to a profile's current address; not cached, because another profile may take the old one."""
    response = redirect(url_for(endpoint, slug=profile.slug), 302)
    response.headers["Cache-Control"] = "no-store"
    return response


def profile_page(
    profile: Profile,
    links: list[ProfileLink],
    *,
    is_own: bool = False,
    preview_pictures: dict[str, str | None] | None = None,
    is_part: bool = False,
    is_wrong: bool = False,
) -> Response:
    """Render a public page, or its preview with the unsaved pictures in `preview_pictures`."""
    rows = profile_links.page_rows(profile, links)
    address = profile_url(profile)
    page = render_template(
        "tap/profile.html",
        profile=profile,
        theme=(profile.theme or ProfileTheme.LAKE).value,
        photo=(preview_pictures or {}).get("photo") or picture_url(profile.photo),
        banner=(preview_pictures or {}).get("banner") or picture_url(profile.banner),
        contacts=rows.contacts,
        extra_links=rows.links,
        icons=ICONS,
        link_icons=LINK_ICONS,
        kind_of=profile_links.link_kind,
        is_own=is_own,
        is_preview=preview_pictures is not None,
        is_part=is_part,
        is_wrong=is_wrong,
        address=address,
        shared_picture=shared_picture(profile),
        qr=Markup(qr.svg(address, title=_("QR code for this profile"))),  # noqa: S704  drawn by segno from our own address
    )
    return make_response(page)


def picture_url(name: str | None) -> str | None:
    """Return the URL of an upload."""
    return url_for("uploads.file", name=name) if name else None


def shared_picture(profile: Profile) -> str:
    """Return the URL of the picture for link previews: the photo, the banner or our logo."""
    name = profile.photo or profile.banner
    if name:
        return f"{current_app.config['SITE_URL']}/uploads/{name}"
    return f"{current_app.config['SITE_URL']}{assets.path_of(NO_PICTURE)}"


@bp.get("/profile/slug/<slug>/")
@access(PUBLIC)
def legacy_profile(slug: str) -> Response:
    """Redirect from the profile URL of the legacy system."""
    return redirect(url_for("tap.profile", slug=slug.lower()), 301)


def store_pictures(form: ProfileForm) -> bool:
    """Store the pictures of a submitted form; return True if database rows must be loaded again.

    Processing a picture may take a second, so the transaction ends first to let others write meanwhile.
    """
    if not form.is_submitted():
        return False
    user_id = current_user.id
    db.session.rollback()
    limit_pictures(form, user_id)
    form.store_pictures(user_id)
    uploads.schedule_deletion(
        form.stored_uploads, user_id, due_at=utcnow() + uploads.RETENTION
    )  # in case the form is never saved
    db.session.commit()
    return True


def limit_pictures(form: ProfileForm, user_id: int) -> None:
    """Apply the rate limit to uploaded pictures and reject those that exceed it."""
    for key in PICTURES:
        if form[key].data:
            try:
                throttle("photo", account=user_id)
            except TooManyAttempts as error:
                form[key].data = None
                form[key].process_errors.append(_(error.message, **error.params))


def profile_form(form: ProfileForm, own: Profile | None, card: Card | None) -> Response:
    """Render the page with the form."""
    page = render_template(
        "tap/profile_edit.html",
        form=form,
        profile=own,
        card=card,
        appearance=form.appearance(profiles.appearance_of(own) if own else None),
        extra_links=profile_links.links_of(own) if own else [],
        former=slugs.former_slugs(own) if own else [],
        address=profile_url(own) if own else None,
        card_count=profiles.card_counts(current_user).get(own.id, 0) if own else 0,
    )
    return make_response(page, 422 if form.errors else 200)


def requested_card() -> Card | None:
    """Return the holder's card named by `?card=`, if any; raise `CardNotFound` for other people's."""
    token = request.args.get("card", "")
    if not token:
        return None
    if not cards.clean_token(token):
        abort(404)
    return cards.own_card(current_user, token)


def profile_url(profile: Profile) -> str:
    """Return the public URL of a profile, based on the configured site and never on the request's host."""
    return f"{current_app.config['SITE_URL']}/p/{profile.slug}"
