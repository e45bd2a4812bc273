"""Back office pages for shop pages, newsletter subscribers and messages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...ids import parse_number
from ...models import SubscriberStatus
from ...services.content import enquiries, newsletter, pages
from ...web import filters
from ...web.access import access
from ...web.csvs import csv_stream
from ...web.forms import refusals
from ...web.navigation import page_address
from ..blueprint import bp
from .forms import MENUS, PageForm

# --- pages ------------------------------------------------------------------------------------------------------------


@bp.get("/pages", endpoint="pages")
@access("staff:pages.edit")
def list_pages() -> str:
    """Every page that staff wrote."""
    return render_template("admin/pages.html", pages=pages.all_pages(), menus=MENUS, address_of=page_address)


@bp.route("/pages/new", methods=["GET", "POST"])
@access("staff:pages.edit")
def new_page() -> Response:
    """Write a new page."""
    form = PageForm()
    if form.validate_on_submit() and "preview" not in request.form:
        with refusals(form):
            page = pages.make(**form.values(), by=current_user, now=utcnow())
            db.session.commit()
            return saved(page.id)
    return page_with(form, None)


@bp.route("/pages/<int:page_id>", methods=["GET", "POST"])
@access("staff:pages.edit")
def page(page_id: int) -> Response:
    """Change a page; the second of two who do so at once is told."""
    found = pages.by_id(page_id)
    form = PageForm.of(found)
    if form.validate_on_submit() and "preview" not in request.form:
        with refusals(form):
            pages.change(found, version=form.opened_version, **form.values(), by=current_user, now=utcnow())
            db.session.commit()
            return saved(page_id)
        if form.form_errors:  # somebody was faster: who has read so and saves again means it
            form.version.data = found.version
    return page_with(form, found)


def page_with(form: PageForm, page: Any) -> Response:
    """The form of a page, with what was typed as it would be shown if that was asked for."""
    preview = pages.render(form.body.data or "") if "preview" in request.form and not form.errors else None
    answer = render_template("admin/page.html", form=form, page=page, preview=preview, address_of=page_address)
    return make_response(answer, 422 if form.errors else 200)


def saved(page_id: int) -> Response:
    """Say so, and show the page's form again."""
    flash(_("Page saved."), "success")
    return redirect(url_for("backoffice.page", page_id=page_id))


# --- readers of the newsletter ----------------------------------------------------------------------------------------


@bp.get("/subscribers")
@access("staff:newsletter.view")
def subscribers() -> str:
    """Who asked for the newsletter, the newest first."""
    search, status = asked_readers()
    rows, older = newsletter.page_of(newsletter.matching(search, status), asked_number("before"))
    return render_template(
        "admin/subscribers.html",
        subscribers=rows,
        older=older,
        is_first="before" not in request.args,
        search=search,
        status=status,
        statuses=status_names(),
        question={"search": search or None, "status": status.value if status else None},
    )


@bp.get("/subscribers.csv")
@access("staff:newsletter.view")
def subscribers_csv() -> Response:
    """The readers that are looked at, for a spreadsheet."""
    names, written = status_names(), writer()
    rows = (
        (email, names[status], consent, *(written(each) for each in instants))
        for email, status, consent, *instants in newsletter.stream(newsletter.matching(*asked_readers()))
    )
    header = (_("Email"), _("Status"), _("Consent text"), _("Signed up"), _("Confirmed"), _("Unsubscribed"))
    return csv_stream("subscribers.csv", header, rows)


def status_names() -> dict[SubscriberStatus, str]:
    """The states of a reader, in words."""
    return {
        SubscriberStatus.SUBSCRIBED: _("Subscribed"),
        SubscriberStatus.PENDING: _("Not confirmed"),
        SubscriberStatus.UNSUBSCRIBED: _("Unsubscribed"),
    }


def asked_readers() -> tuple[str, SubscriberStatus | None]:
    """The text and the state this request asks for."""
    state = request.args.get("status", "")
    status = SubscriberStatus(state) if state in list(SubscriberStatus) else None
    return newsletter.clean_search(request.args.get("search", "")), status


# --- messages to the shop ---------------------------------------------------------------------------------------------


@bp.get("/enquiries", endpoint="enquiries")
@access("staff:enquiries.answer")
def list_enquiries() -> str:
    """What people wrote, open messages first."""
    number = asked_number("page") or 1
    rows, has_more = enquiries.page_of(number)
    return render_template("admin/enquiries.html", enquiries=rows, number=number, has_more=has_more)


@bp.get("/enquiries.csv")
@access("staff:enquiries.answer")
def enquiries_csv() -> Response:
    """All messages, for a spreadsheet."""
    written = writer()
    rows = (
        (written(received), *texts, written(answered)) for received, *texts, answered in enquiries.stream()
    )  # fmt: skip
    header = (_("Received"), _("Name"), _("Email"), _("Order"), _("Message"), _("Answered"))
    return csv_stream("messages.csv", header, rows)


@bp.get("/enquiries/<int:enquiry_id>")
@access("staff:enquiries.answer")
def enquiry(enquiry_id: int) -> str:
    """One message."""
    return render_template("admin/enquiry.html", enquiry=enquiries.by_id(enquiry_id))


@bp.post("/enquiries/<int:enquiry_id>/answered")
@access("staff:enquiries.answer")
def answer_enquiry(enquiry_id: int) -> Response:
    """Mark a message as answered."""
    enquiries.answered(enquiries.by_id(enquiry_id), current_user, utcnow())
    db.session.commit()
    flash(_("Message marked as answered."), "success")
    return redirect(url_for("backoffice.enquiries"))


@bp.post("/enquiries/<int:enquiry_id>/open")
@access("staff:enquiries.answer")
def reopen_enquiry(enquiry_id: int) -> Response:
    """Put a message back among the open ones."""
    enquiries.reopen(enquiries.by_id(enquiry_id), current_user)
    db.session.commit()
    flash(_("Message reopened."), "success")
    return redirect(url_for("backoffice.enquiry", enquiry_id=enquiry_id))


def asked_number(name: str) -> int | None:
    """A number in this request's question; None for anything else."""
    return parse_number(request.args.get(name), max_digits=8) or None


def writer() -> Callable[[datetime | None], str]:
    """Writes instants on the shop's clock while a table is sent, when there is no request to ask any more."""
    zone = ZoneInfo(filters.shop().time_zone)
    return lambda instant: instant.astimezone(zone).strftime("%Y-%m-%d %H:%M") if instant is not None else ""
