"""Form to find a card."""

import re
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import InputRequired, ValidationError

from ..tokens import normalize_code
from ..web.forms import Form

TOKEN = re.compile(r"[A-Z0-9]{1,20}")
MAX_INPUT_LENGTH = 200


def token_in(text: str) -> str:
    """Return the token in a text that is the token itself or the URL of a card."""
    return normalize_code(text.split("?")[0].split("#")[0].rstrip("/").rpartition("/")[2])


class FindCardForm(Form):
    """Form to enter the token of a card; submitted by GET, because it changes nothing."""

    class Meta(Form.Meta):
        csrf = False

    token = StringField(_("Card token"), [InputRequired(_("Enter your card's token."))])

    def validate_token(self, field: Any) -> None:
        text = field.data or ""
        if len(text) > MAX_INPUT_LENGTH or not TOKEN.fullmatch(token_in(text)):
            raise ValidationError(_("That token isn't valid. Enter the letters and numbers printed on the card."))
