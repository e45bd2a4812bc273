"""Profiles: their owners' pages, and the one that everybody sees."""

from typing import Any

from flask import abort, current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from .. import qr
from ..db import db
from ..errors import TooManyAttempts
from ..models import Card, Profile
from ..services import cards, profiles
from ..web import filters
from ..web.forms import refusals
from ..web.guards import login_required
from ..web.throttling import throttle
from .blueprint import bp
from .fast import LONGEST_TOKEN
from .profile_forms import ProfileForm

WITH_PICTURES = ("tap.new_profile", "tap.edit_profile")
LARGEST_REQUEST = 32 * 1024 * 1024
ICONS = {"phone": "telephone", "email": "envelope", "website": "globe", "x": "twitter-x"}


@bp.url_value_preprocessor
def let_large_pictures_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Read forms whose picture is too large, to be able to say so beside it; runs before anything reads the form."""
    if endpoint in WITH_PICTURES and "_user_id" in session:
        request.max_content_length = LARGEST_REQUEST


@bp.get("/profiles", endpoint="profiles")
@login_required
def list_profiles() -> str:
    """A holder's profiles."""
    own = list(db.session.scalars(profiles.owned_by(current_user)))
    return render_template("tap/profiles.html", profiles=own, card_counts=profiles.card_counts(current_user))


@bp.route("/profiles/new", methods=["GET", "POST"])
@login_required
def new_profile() -> Response:
    """Make a profile; with `?card=` that card opens it from then on."""
    form = ProfileForm(filters.shop().country, data={"name": current_user.full_name})
    take_photo(form)
    card = asked_card()
    if form.validate_on_submit():
        with refusals(form):
            made = profiles.create(
                current_user, form.typed, region=form.region, photo=form.photo_to_store(current=None)
            )
            if card is not None:
                cards.point_to_profile(card, made, current_user)
            db.session.commit()
            return created(made, card)
    return profile_form(form, None, card)


def created(made: Profile, card: Card | None) -> Response:
    """Say what happened, and go on where the holder came from."""
    if card is None:
        flash(_("Your profile is ready. Choose it on the page of a card, and a tap opens it."), "success")
        return redirect(url_for("tap.edit_profile", profile_id=made.id))
    flash(_("Your profile is ready, and %(card)s opens it.", card=card.title), "success")
    return redirect(url_for("tap.card", token=card.token))


@bp.route("/profiles/<int:profile_id>", methods=["GET", "POST"])
@login_required
def edit_profile(profile_id: int) -> Response:
    """Change a profile."""
    own = profiles.own_profile(current_user, profile_id)
    form = ProfileForm(filters.shop().country, data=profiles.as_typed(own))
    if take_photo(form):
        own = profiles.own_profile(current_user, profile_id)
    else:
        form.version.data = own.version
    if form.validate_on_submit():
        with refusals(form):
            profiles.change(
                own,
                current_user,
                form.typed,
                region=form.region,
                version=form.seen_version,
                photo=form.photo_to_store(current=own.photo),
            )
            db.session.commit()
            flash(_("Saved."), "success")
            return redirect(url_for("tap.edit_profile", profile_id=own.id))
    return profile_form(form, own, None)


@bp.route("/profiles/<int:profile_id>/delete", methods=["GET", "POST"])
@login_required
def delete_profile(profile_id: int) -> Response:
    """Delete a profile, after asking."""
    own = profiles.own_profile(current_user, profile_id)
    if request.method == "POST":
        profiles.delete(own, current_user)
        db.session.commit()
        flash(_("The profile is deleted."), "success")
        return redirect(url_for("tap.profiles"))
    number = profiles.card_counts(current_user).get(own.id, 0)
    return make_response(render_template("tap/profile_delete.html", profile=own, card_count=number))


@bp.get("/p/<slug>")
def profile(slug: str) -> Response:
    """The page that everybody sees."""
    shown = profiles.public_profile(slug)
    if slug != shown.slug:
        return redirect(url_for("tap.profile", slug=shown.slug), 301)
    is_own = current_user.is_authenticated and current_user.id == shown.owner_id
    if not shown.is_public and not is_own:
        return make_response(render_template("tap/profile_hidden.html"), 404)
    address = page_address(shown)
    code = qr.svg(address, title=_("QR code of this page"))
    page = render_template(
        "tap/profile.html",
        profile=shown,
        contacts=profiles.contacts(shown),
        icons=ICONS,
        is_own=is_own,
        address=address,
        qr=Markup(code),  # noqa: S704  drawn by segno from our own address
    )
    return make_response(page)


@bp.get("/profile/slug/<slug>/")
def legacy_profile(slug: str) -> Response:
    """The address profiles had in the first system."""
    return redirect(url_for("tap.profile", slug=slug.lower()), 301)


def take_photo(form: ProfileForm) -> bool:
    """Take in the picture of a form that was sent; true if rows have to be loaded again.

    A picture may take a second to work on: the database is let go of first, or nobody else could write meanwhile.
    """
    if not form.is_submitted():
        return False
    user_id = current_user.id
    db.session.rollback()
    if form.photo.data:
        try:
            throttle("photo", account=user_id)
        except TooManyAttempts as error:
            form.photo.data = None
            form.photo.process_errors.append(_(error.message, **error.params))
    form.take_photo(user_id)
    return True


def profile_form(form: ProfileForm, own: Profile | None, card: Card | None) -> Response:
    """The page with the form."""
    page = render_template(
        "tap/profile_edit.html",
        form=form,
        profile=own,
        card=card,
        photo=form.photo_to_store(own.photo if own else None),
        address=page_address(own) if own else None,
        card_count=profiles.card_counts(current_user).get(own.id, 0) if own else 0,
    )
    return make_response(page, 422 if form.errors else 200)


def asked_card() -> Card | None:
    """The holder's card that this request is about, if it names one; somebody else's does not exist."""
    token = request.args.get("card", "")
    if not token:
        return None
    if not (token.isascii() and token.isalnum() and len(token) <= LONGEST_TOKEN):
        abort(404)
    return cards.own_card(current_user, token)


def page_address(shown: Profile) -> str:
    """Where a profile is found: on the configured site, never on the request's host."""
    return f"{current_app.config['SITE_URL']}/p/{shown.slug}"
