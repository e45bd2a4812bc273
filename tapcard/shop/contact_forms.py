"""The form by which people write to the shop, with what keeps robots from it."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import EmailField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from ..clock import utcnow
from ..models.users import EMAIL_LENGTH
from ..services.enquiries import MESSAGE_LENGTH, NAME_LENGTH, ORDER_LENGTH
from ..web import stamps
from ..web.forms import Form
from .newsletter_forms import is_email

STAMP = "contact"
SHORTEST_SECONDS = 2  # nobody types a message in less
AT_MOST = _("At most %(max)d characters.")


class ContactForm(Form):
    """Who writes, how to answer, and what it is about."""

    name = StringField(
        _("Your name"),
        [DataRequired(_("Please tell your name.")), Length(max=NAME_LENGTH, message=AT_MOST)],
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        _("Your e-mail address"),
        [DataRequired(_("Type your e-mail address.")), Length(max=EMAIL_LENGTH, message=AT_MOST), is_email],
        render_kw={"autocomplete": "email"},
    )
    order_number = StringField(
        _("Order number"),
        [Optional(), Length(max=ORDER_LENGTH, message=AT_MOST)],
        description=_("Like TC-7F3K-92QX, if it is about an order."),
        render_kw={"autocomplete": "off"},
    )
    message = TextAreaField(
        _("Message"),
        [DataRequired(_("Write what it is about."))],
        render_kw={"maxlength": MESSAGE_LENGTH, "rows": 7},
    )
    homepage = StringField(  # people do not see it, robots fill it in
        _("Leave this empty"), render_kw={"autocomplete": "off", "tabindex": "-1", "maxlength": 200}
    )
    stamp = HiddenField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shown_at = stamps.shown_at(STAMP, self.stamp.data, utcnow())
        if self.shown_at is None:
            self.stamp.data = stamps.make_stamp(STAMP, utcnow())

    @property
    def is_by_a_robot(self) -> bool:
        """Whether something filled in what people do not see."""
        return bool(self.homepage.data)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        if valid and not self._is_old_enough():
            self.form_errors.append(gettext("That was quick. Look over what you typed, then press the button again."))
            return False
        return valid

    def _is_old_enough(self) -> bool:
        return self.shown_at is not None and (utcnow() - self.shown_at).total_seconds() >= SHORTEST_SECONDS
