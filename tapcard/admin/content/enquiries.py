"""Back office pages for messages from the contact form."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...services.content import enquiries
from ...services.core import rows
from ...web.access import access
from ...web.csvs import csv_stream
from ...web.paging import paginate
from ..blueprint import bp
from ..csv_dates import date_formatter

ENQUIRIES_PER_PAGE = 25


@bp.get("/enquiries", endpoint="enquiries")
@access("staff:enquiries.answer")
def list_enquiries() -> str:
    """List the messages, open ones first."""
    return render_template("admin/enquiries.html", page=paginate(enquiries.list_query(), ENQUIRIES_PER_PAGE))


@bp.get("/enquiries.csv")
@access("staff:enquiries.answer")
def enquiries_csv() -> Response:
    """Download all messages as CSV."""
    format_date = date_formatter()
    lines = (
        (format_date(received), *texts, format_date(answered))
        for received, *texts, answered in rows.stream(enquiries.csv_query())
    )
    header = (_("Received"), _("Name"), _("Email"), _("Order"), _("Message"), _("Answered on"))
    return csv_stream("messages.csv", header, lines)


@bp.get("/enquiries/<int:enquiry_id>", endpoint="enquiry")
@access("staff:enquiries.answer")
def show_enquiry(enquiry_id: int) -> str:
    """Show a message."""
    return render_template("admin/enquiry.html", enquiry=enquiries.get(enquiry_id))


@bp.post("/enquiries/<int:enquiry_id>/answered")
@access("staff:enquiries.answer")
def answer_enquiry(enquiry_id: int) -> Response:
    """Mark a message as answered."""
    enquiries.mark_answered(enquiries.get(enquiry_id), current_user, utcnow())
    db.session.commit()
    flash(_("Message marked as answered."), "success")
    return redirect(url_for("backoffice.enquiries"))


@bp.post("/enquiries/<int:enquiry_id>/open")
@access("staff:enquiries.answer")
def reopen_enquiry(enquiry_id: int) -> Response:
    """Mark a message as open again."""
    enquiries.reopen(enquiries.get(enquiry_id), current_user)
    db.session.commit()
    flash(_("Message reopened."), "success")
    return redirect(url_for("backoffice.enquiry", enquiry_id=enquiry_id))
