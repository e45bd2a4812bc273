"""Pages about the user's postal addresses."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..services.accounts import addresses
from ..web import filters
from ..web.access import HOLDER, access
from ..web.address_forms import AddressForm
from ..web.forms import refusals
from .views import bp, page


@bp.get("/account/addresses", endpoint="addresses")
@access(HOLDER)
def list_addresses() -> str:
    """List the user's addresses."""
    own = list(db.session.scalars(addresses.owned_by(current_user)))
    return render_template("auth/addresses.html", addresses=own, most=addresses.MAX_ADDRESSES)


@bp.route("/account/addresses/new", methods=["GET", "POST"])
@access(HOLDER)
def new_address() -> Response:
    """Add an address."""
    shop = filters.shop()
    form = AddressForm(locale=shop.locale, data={"name": current_user.full_name, "country": shop.country})
    if form.validate_on_submit():
        with refusals(form):
            addresses.add(current_user, form.values)
            db.session.commit()
            flash(_("Address saved."), "success")
            return redirect(url_for("auth.addresses"))
    return page("auth/address.html", form, address=None)


@bp.route("/account/addresses/<int:address_id>", methods=["GET", "POST"])
@access(HOLDER)
def edit_address(address_id: int) -> Response:
    """Change an address."""
    own = addresses.get_own_address(current_user, address_id)
    form = AddressForm(locale=filters.shop().locale, obj=own)
    if form.validate_on_submit():
        with refusals(form):
            addresses.update(current_user, own, form.values)
            db.session.commit()
            flash(_("Address saved."), "success")
            return redirect(url_for("auth.addresses"))
        own = addresses.get_own_address(current_user, address_id)
    return page("auth/address.html", form, address=own)


@bp.post("/account/addresses/<int:address_id>/default")
@access(HOLDER)
def default_address(address_id: int) -> Response:
    """Make an address the default."""
    addresses.make_default(current_user, addresses.get_own_address(current_user, address_id))
    db.session.commit()
    flash(_("Default address updated."), "success")
    return redirect(url_for("auth.addresses"))


@bp.route("/account/addresses/<int:address_id>/delete", methods=["GET", "POST"])
@access(HOLDER)
def delete_address(address_id: int) -> Response:
    """Delete an address, after a confirmation page."""
    own = addresses.get_own_address(current_user, address_id)
    if request.method == "POST":
        addresses.delete(current_user, own)
        db.session.commit()
        flash(_("Address deleted."), "success")
        return redirect(url_for("auth.addresses"))
    return Response(render_template("auth/address_delete.html", address=own), mimetype="text/html")
