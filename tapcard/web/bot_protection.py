"""Forms for strangers: a signed note of when one was shown and what it said, and a field that only robots fill in."""

from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from itsdangerous import BadSignature, URLSafeSerializer
from wtforms import HiddenField, StringField

from ..clock import utcnow
from .forms import Form

SHORTEST = timedelta(seconds=2)  # nobody types a name in less
LONGEST = timedelta(days=1)


def make_stamp(form: str, now: datetime, *facts: Any) -> str:
    """Sign when a form was shown, with what it said."""
    return str(_signer(form).dumps([now.timestamp(), *facts]))


def shown_at(form: str, stamp: str | None, now: datetime, *facts: Any) -> datetime | None:
    """When a form that said this very thing was shown; None for a stamp that is forged, old or another's."""
    try:
        seconds, *said = _signer(form).loads(stamp or "")
        instant = datetime.fromtimestamp(seconds, now.tzinfo)
    except (BadSignature, ValueError, TypeError, OverflowError):
        return None
    return instant if tuple(said) == facts and now - instant < LONGEST else None


class StampedForm(Form):
    """A form that anybody may send: it tells robots, and what is sent faster than a person types."""

    homepage = StringField(  # people do not see it, robots fill it in
        _("Leave this field empty"), render_kw={"autocomplete": "off", "tabindex": "-1", "maxlength": 200}
    )
    stamp = HiddenField()
    shown_at: datetime | None = None

    def read_stamp(self, form: str, *facts: Any) -> None:
        """Look when this form, saying this very thing, was shown; one that never was is stamped now."""
        self.shown_at = shown_at(form, self.stamp.data, utcnow(), *facts)
        if self.shown_at is None:
            self.stamp.data = make_stamp(form, utcnow(), *facts)

    @property
    def is_by_a_robot(self) -> bool:
        """Whether something filled in what people do not see."""
        return bool(self.homepage.data)

    def is_slow_enough(self) -> bool:
        """Whether a person could have typed it meanwhile; if not, the form says so."""
        if self.shown_at is not None and utcnow() - self.shown_at >= SHORTEST:
            return True
        self.form_errors.append(gettext("The form was submitted too quickly. Check your details and submit it again."))
        return False


def _signer(form: str) -> URLSafeSerializer:
    config = current_app.config
    secrets = [*reversed(config["SECRET_KEY_FALLBACKS"]), config["SECRET_KEY"]]  # the newest signs
    return URLSafeSerializer(secrets, salt=f"stamp {form}")
