"""Back office pages for the shop's own pages."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...models import ShopPage
from ...services.content import pages
from ...web.access import access
from ...web.forms import refusals
from ...web.navigation import page_url
from ..blueprint import bp
from .page_forms import MENUS, PageForm


@bp.get("/pages", endpoint="pages")
@access("staff:pages.edit")
def list_pages() -> str:
    """List all pages, published or not."""
    return render_template("admin/pages.html", pages=pages.list_pages(), menus=MENUS, page_url=page_url)


@bp.route("/pages/new", methods=["GET", "POST"])
@access("staff:pages.edit")
def new_page() -> Response:
    """Create a page."""
    form = PageForm()
    if form.validate_on_submit() and "preview" not in request.form:
        with refusals(form):
            page = pages.create(form.content, current_user, utcnow())
            db.session.commit()
            return confirm_saved(page.id)
    return render_page_form(form, None)


@bp.route("/pages/<int:page_id>", methods=["GET", "POST"], endpoint="page")
@access("staff:pages.edit")
def edit_page(page_id: int) -> Response:
    """Edit a page; on an edit conflict, show an error first and overwrite if the form is saved again."""
    page = pages.get(page_id)
    form = PageForm(obj=page)
    if form.validate_on_submit() and "preview" not in request.form:
        with refusals(form):
            pages.change(page, form.content, form.opened_version, current_user, utcnow())
            db.session.commit()
            return confirm_saved(page_id)
        if form.form_errors:  # after an edit conflict, saving again overwrites
            form.version.data = page.version
    return render_page_form(form, page)


def render_page_form(form: PageForm, page: ShopPage | None) -> Response:
    """Render the form of a page, with a preview of the submitted text if one was requested."""
    preview = pages.render(form.body.data or "") if "preview" in request.form and not form.errors else None
    html = render_template("admin/page.html", form=form, page=page, preview=preview, page_url=page_url)
    return make_response(html, 422 if form.errors else 200)


def confirm_saved(page_id: int) -> Response:
    """Flash a message and redirect to the page's form."""
    flash(_("Page saved."), "success")
    return redirect(url_for("backoffice.page", page_id=page_id))
