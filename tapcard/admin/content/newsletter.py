"""Back office pages for newsletter subscribers."""

from flask import render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ...models import Subscriber, SubscriberStatus
from ...services.content import newsletter
from ...services.core import rows
from ...web.access import access
from ...web.csvs import csv_stream
from ...web.filters import label
from ...web.paging import paginate_by_id, text_argument
from ..blueprint import bp
from ..csv_dates import date_formatter

SUBSCRIBERS_PER_PAGE = 50
STATUSES = (SubscriberStatus.SUBSCRIBED, SubscriberStatus.PENDING, SubscriberStatus.UNSUBSCRIBED)  # as offered


@bp.get("/subscribers")
@access("staff:newsletter.view")
def subscribers() -> str:
    """List the subscribers, newest first."""
    search, status = filter_arguments()
    return render_template(
        "admin/subscribers.html",
        page=paginate_by_id(newsletter.matching(search, status), Subscriber.id, SUBSCRIBERS_PER_PAGE),
        search=search,
        status=status,
        statuses=STATUSES,
        arguments={"search": search or None, "status": status.value if status else None},
    )


@bp.get("/subscribers.csv")
@access("staff:newsletter.view")
def subscribers_csv() -> Response:
    """Download the filtered subscribers as CSV."""
    format_date = date_formatter()
    lines = (
        (email, label(status), consent, *(format_date(instant) for instant in instants))
        for email, status, consent, *instants in rows.stream(newsletter.csv_query(*filter_arguments()))
    )
    header = (_("Email"), _("Status"), _("Consent text"), _("Signed up on"), _("Confirmed on"), _("Unsubscribed on"))
    return csv_stream("subscribers.csv", header, lines)


def filter_arguments() -> tuple[str, SubscriberStatus | None]:
    """Return the search text and the status from the query string."""
    state = request.args.get("status", "")
    return text_argument("search"), SubscriberStatus(state) if state in list(SubscriberStatus) else None
