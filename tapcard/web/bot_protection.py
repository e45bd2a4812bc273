"""Bot protection for public forms: a signed stamp of when a form was shown and what it said, and a honeypot field."""

from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, StringField

from ..clock import utcnow
from ..keys import Keys
from .forms import Form

MIN_FILL_TIME = timedelta(seconds=2)  # no person enters a name faster
MAX_STAMP_AGE = timedelta(days=1)


def make_stamp(form: str, now: datetime, *facts: Any) -> str:
    """Return a signed stamp of when a form was shown and of the facts it stated."""
    return _keys().sign(f"stamp {form}", [now.timestamp(), *facts])


def shown_at(form: str, stamp: str | None, now: datetime, *facts: Any) -> datetime | None:
    """Return when a form that stated these facts was shown, or None if the stamp is forged, old or another form's."""
    value = _keys().unsign(f"stamp {form}", stamp)
    if not value:
        return None
    try:
        seconds, *stamped_facts = value
        instant = datetime.fromtimestamp(seconds, now.tzinfo)
    except (ValueError, TypeError, OverflowError):
        return None
    return instant if tuple(stamped_facts) == facts and now - instant < MAX_STAMP_AGE else None


class StampedForm(Form):
    """Public form that detects bots by a honeypot field and by submissions faster than a person types."""

    homepage = StringField(  # hidden from people, filled in by bots
        _("Leave this field empty"), render_kw={"autocomplete": "off", "tabindex": "-1", "maxlength": 200}
    )
    stamp = HiddenField()
    shown_at: datetime | None = None

    def read_stamp(self, form: str, *facts: Any) -> None:
        """Read when this form, stating these facts, was shown; without a valid stamp, stamp it now."""
        self.shown_at = shown_at(form, self.stamp.data, utcnow(), *facts)
        if self.shown_at is None:
            self.stamp.data = make_stamp(form, utcnow(), *facts)

    @property
    def is_from_bot(self) -> bool:
        """Return whether the honeypot field was filled in."""
        return bool(self.homepage.data)

    def is_slow_enough(self) -> bool:
        """Return whether a person could have typed the form in the time; if not, add an error to it."""
        if self.shown_at is not None and utcnow() - self.shown_at >= MIN_FILL_TIME:
            return True
        self.form_errors.append(gettext("The form was submitted too quickly. Check your details and submit it again."))
        return False


def _keys() -> Keys:
    keys: Keys = current_app.extensions["keys"]
    return keys
