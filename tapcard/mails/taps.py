"""Weekly digest email: a summary of a user's statistics, with an embedded chart."""

from datetime import date

from babel.dates import format_date
from flask import current_app
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from flask_mail import Message

from .. import mail, plots, settings
from ..db import db
from ..errors import mark
from ..models import User
from ..services.taps import weekly_digest
from ..services.taps.weekly_digest import WeekSummary

CHART_CONTENT_ID = "taps-of-the-week"


@mail.kind("mail.weekly", mark("Weekly summary"))
def weekly(user_id: int, monday: str) -> Message | None:
    """Tell a user about the week before a Monday; no email is sent for a week without taps and leads."""
    user = db.session.get(User, user_id)
    if user is None or not weekly_digest.wants_digest(user):
        return None
    shop = settings.load()
    week = weekly_digest.summarize_week(user, date.fromisoformat(monday), shop.time_zone)
    if week.is_quiet:
        return None
    unsubscribe_link = mail.link_to(
        "tap.stop_weekly_mail", token=weekly_digest.unsubscribe_token(user.id, current_app.extensions["keys"])
    )
    with force_locale(shop.locale):
        days = [(format_date(day, "EEE d MMM", locale=shop.locale), number) for day, number in week.days]
        sentences = summary_sentences(week)
        x_title, y_title = _("Day"), _("Taps")
    message = mail.compose(
        "weekly_digest",
        user.email,
        user=user,
        week=week,
        days=days,
        sentences=sentences,
        first=format_date(week.first, "d MMM", locale=shop.locale),
        last=format_date(week.last, "d MMM y", locale=shop.locale),
        chart=CHART_CONTENT_ID,
        link=mail.link_to("tap.statistics", period="free", since=week.first, until=week.last),
        account=mail.link_to("auth.account"),
        off=unsubscribe_link,
    )
    headers = {"List-Unsubscribe": f"<{unsubscribe_link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message.extra_headers = {**(message.extra_headers or {}), **headers}
    labels = [format_date(day, "EEE d", locale=shop.locale) for day, _number in week.days]
    values = [number for _day, number in week.days]
    picture = plots.daily_png(labels, values, color=shop.brand_color, x_title=x_title, y_title=y_title)
    message.attach("taps.png", "image/png", picture, "inline", {"Content-ID": f"<{CHART_CONTENT_ID}>"})
    return message


def summary_sentences(week: WeekSummary) -> list[str]:
    """Return the summary of a week as translated sentences."""
    sentences = [ngettext("Your cards were tapped once.", "Your cards were tapped %(num)s times.", week.total)]
    if not week.total:
        sentences = [_("Your cards weren't tapped.")]
    if week.before:
        sentences.append(
            ngettext("There was one tap the week before.", "There were %(num)s taps the week before.", week.before)
        )
    elif week.total:
        sentences.append(_("There were no taps the week before."))
    if week.best is not None:
        number = ngettext("%(num)s tap", "%(num)s taps", week.best.tap_count)
        name = week.best.alias or week.best.token
        sentences.append(_("Most tapped: “%(name)s” (%(number)s).", name=name, number=number))
    if week.lead_count:
        sentences.append(
            ngettext(
                "One person shared their contact details with you.",
                "%(num)s people shared their contact details with you.",
                week.lead_count,
            )
        )
    return sentences
