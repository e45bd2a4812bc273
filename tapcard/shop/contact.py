"""The contact page: its form, and a link to a chat if the shop has a number for it."""

from urllib.parse import quote

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..services.content import enquiries
from ..services.content.enquiries import MAX_ORDER_LENGTH
from ..web import filters
from ..web.access import PUBLIC, access
from ..web.context import rule_context
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from .blueprint import bp
from .contact_forms import ContactForm


@bp.route("/contact", methods=["GET", "POST"])
@access(PUBLIC)
def contact() -> Response:
    """Show the contact form and store its message."""
    form = ContactForm()
    if request.method == "GET":
        prefill(form)
    if form.validate_on_submit():
        with refusals(form):
            return store_message(form)
    page = render_template("shop/contact.html", form=form, chat=chat_url())
    return make_response(page, *form_status(form))


@bp.get("/contact/sent")
@access(PUBLIC)
def contact_sent() -> str:
    """Show the thank-you page, which is the same in every case."""
    return render_template("shop/contact_sent.html")


def prefill(form: ContactForm) -> None:
    """Fill in the name and email of a logged-in user, and the order number from the URL."""
    form.order_number.data = request.args.get("order", "")[:MAX_ORDER_LENGTH]
    if current_user.is_authenticated:
        form.name.data, form.email.data = current_user.full_name, current_user.email


def store_message(form: ContactForm) -> Response:
    """Store a message and redirect; spam gets the same response."""
    throttle("contact", account=current_user.id, address=True)
    if not form.is_from_bot:
        enquiries.receive(
            name=form.name.data or "",
            email=form.email.data or "",
            order_number=form.order_number.data or "",
            message=form.message.data or "",
            context=rule_context(),
        )
        db.session.commit()
    return redirect(url_for("shop.contact_sent"))


def chat_url() -> str:
    """Return the URL of a WhatsApp chat with a prefilled text; empty if the shop has no number."""
    shop = filters.shop()
    if not shop.whatsapp_number:
        return ""
    text = shop.whatsapp_text or _("Hello, I have a question.")
    return f"https://wa.me/{shop.whatsapp_number.removeprefix('+')}?text={quote(text, safe='')}"
