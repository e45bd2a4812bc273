"""Extra links of a profile: its owner adds, edits, reorders and removes them."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..ids import parse_id
from ..models import Profile
from ..services.profiles import links, profiles
from ..web.access import HOLDER, access
from ..web.forms import refusals
from ..web.redirects import own_hosts
from .blueprint import bp
from .profile_forms import LinkForm
from .profiles import LINK_ICONS

PLACES = {"up": -1, "down": 1}


@bp.route("/profiles/<int:profile_id>/links", methods=["GET", "POST"], endpoint="profile_links")
@access(HOLDER)
def list_links(profile_id: int) -> Response:
    """Show the links of a profile, and add a new one."""
    own = profiles.own_profile(current_user, profile_id)
    form = LinkForm()
    if form.is_submitted() and form.check(own_hosts()):
        with refusals(form):
            links.add(own, current_user, title=form.title.data or "", url=form.url.data or "", own_hosts=own_hosts())
            db.session.commit()
            flash(_("Link added."), "success")
            return to_links(profile_id)
    return links_page(profiles.own_profile(current_user, profile_id), form)


@bp.route("/profiles/<int:profile_id>/links/<int:link_id>", methods=["GET", "POST"], endpoint="profile_link")
@access(HOLDER)
def edit_link(profile_id: int, link_id: int) -> Response:
    """Show and save the form for editing a link."""
    own = profiles.own_profile(current_user, profile_id)
    link = links.own_link(own, link_id)
    form = LinkForm(data={"title": link.title, "url": link.url, "seen": links.link_hash(link)})
    if form.is_submitted() and form.check(own_hosts()):
        with refusals(form):
            links.update(
                link,
                current_user,
                title=form.title.data or "",
                url=form.url.data or "",
                seen=form.seen.data or "",
                own_hosts=own_hosts(),
            )
            db.session.commit()
            flash(_("Changes saved."), "success")
            return to_links(profile_id)
        own = profiles.own_profile(current_user, profile_id)
        link = links.own_link(own, link_id)
    page = render_template("tap/profile_link.html", profile=own, link=link, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/profiles/<int:profile_id>/links/<int:link_id>/move")
@access(HOLDER)
def move_profile_link(profile_id: int, link_id: int) -> Response:
    """Move a link up or down by one position."""
    own = profiles.own_profile(current_user, profile_id)
    links.move(own, link_id, by=PLACES.get(request.form.get("to", ""), 0))
    db.session.commit()
    return to_links(profile_id, link_id)


@bp.post("/profiles/<int:profile_id>/links/<int:link_id>/show")
@access(HOLDER)
def show_profile_link(profile_id: int, link_id: int) -> Response:
    """Show or hide a link on the profile."""
    own = profiles.own_profile(current_user, profile_id)
    links.set_shown(links.own_link(own, link_id), is_shown=request.form.get("shown") == "yes")
    db.session.commit()
    return to_links(profile_id, link_id)


@bp.post("/profiles/<int:profile_id>/links/<int:link_id>/remove")
@access(HOLDER)
def remove_profile_link(profile_id: int, link_id: int) -> Response:
    """Remove a link from the profile."""
    own = profiles.own_profile(current_user, profile_id)
    links.remove(links.own_link(own, link_id), current_user)
    db.session.commit()
    flash(_("Link removed."), "success")
    return to_links(profile_id)


@bp.post("/profiles/<int:profile_id>/links/order")
@access(HOLDER)
def order_profile_links(profile_id: int) -> Response:
    """Save the order of the links after drag and drop."""
    own = profiles.own_profile(current_user, profile_id)
    links.reorder(own, numbers_in(request.form.get("order", "")))
    db.session.commit()
    return to_links(profile_id)


def numbers_in(text: str) -> list[int]:
    """Parse comma-separated ids; invalid ones become 0, which matches no link."""
    parts = text.split(",")[: 2 * links.MAX_LINKS]
    return [parse_id(part) or 0 for part in parts if part]


def to_links(profile_id: int, link_id: int | None = None) -> Response:
    """Redirect to the list, scrolled to the given link."""
    anchor = f"link-{link_id}" if link_id else None
    return redirect(url_for("tap.profile_links", profile_id=profile_id, _anchor=anchor))


def links_page(own: Profile, form: LinkForm) -> Response:
    """Render the list with the form."""
    page = render_template(
        "tap/profile_links.html",
        profile=own,
        extra_links=links.links_of(own),
        form=form,
        most=links.MAX_LINKS,
        kind_of=links.link_kind,
        icons=LINK_ICONS,
    )
    return make_response(page, 422 if form.errors else 200)
