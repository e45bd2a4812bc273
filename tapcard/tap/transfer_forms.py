"""Forms to report, transfer and replace a card."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from ..email_addresses import MAX_EMAIL_LENGTH
from ..models import Card
from ..services.cards.claims import CLAIM_CODE_LENGTH
from ..services.profiles.found_reports import (
    MAX_MESSAGE_LENGTH,
    MAX_REPLY_ADDRESS_LENGTH,
)
from ..web.forms import Form

ANOTHER = "another"


class FoundForm(Form):
    """Form to send a message to the owner of a lost card; `website` is a hidden field that only bots fill in."""

    message = TextAreaField(
        _("Your message"),
        [
            DataRequired(_("Tell the owner where the card is or how to get it back.")),
            Length(max=MAX_MESSAGE_LENGTH, message=_("Enter %(max)d characters or fewer.")),
        ],
        filters=[lambda text: text.replace("\r\n", "\n") if text else text],
        description=_("Up to 500 characters. For example, “It's behind the bar at the Crown.”"),
    )
    answer_to = StringField(
        _("Your email or phone number"),
        [Optional(), Length(max=MAX_REPLY_ADDRESS_LENGTH, message=_("Enter %(max)d characters or fewer."))],
        description=_("So the owner can reply to you. Only they will see it."),
        render_kw={"autocapitalize": "off", "spellcheck": "false"},
    )
    website = StringField(_("Leave this blank"), [Optional()], render_kw={"autocomplete": "off", "tabindex": "-1"})


class OfferForm(Form):
    """Form to offer a card to an email address."""

    email = StringField(
        _("Recipient's email"),
        [
            DataRequired(_("Enter an email address.")),
            Length(max=MAX_EMAIL_LENGTH, message=_("Enter %(max)d characters or fewer.")),
        ],
        description=_("We'll email them a link. They have 7 days to accept."),
        render_kw={"type": "email", "inputmode": "email", "autocomplete": "off", "autocapitalize": "off"},
    )


class ReplaceForm(Form):
    """Form to choose the new card: one of the holder's own, or one that is claimed with its code."""

    replacement = RadioField(_("New card"), [DataRequired(_("Choose the new card."))])
    token = StringField(
        _("New card's token"),
        [Optional(), Length(max=40, message=_("Enter %(max)d characters or fewer."))],
        description=_("Printed on the card and shown at the end of its web address."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    code = StringField(
        _("Claim code"),
        [Optional(), Length(max=20, message=_("Claim codes have %(count)d characters.", count=CLAIM_CODE_LENGTH))],
        description=_(
            "%(count)d letters and numbers from the insert. Only needed if you haven't claimed the card yet.",
            count=CLAIM_CODE_LENGTH,
        ),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )

    def __init__(self, own: Sequence[Card], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.replacement.choices = [
            *(SelectChoice(card.token, card.title) for card in own),
            SelectChoice(ANOTHER, _("Another card")),
        ]
        if not self.is_submitted():
            self.replacement.data = self.replacement.choices[0].value
