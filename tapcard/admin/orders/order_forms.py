"""What staff type about orders, their payments and credit."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, StopValidation

from ... import money
from ...models import ProductionStatus
from ...models.users import EMAIL_LENGTH
from ...money import Money
from ...web.forms import Form

WAYS = {
    "cash": _("Cash"),
    "transfer": _("Bank transfer"),
    "cheque": _("Cheque"),
    "terminal": _("Card terminal"),
}
MOST_DAYS = 60
MOST_CREDIT = 100_000_000  # minor units at once: more is a slip of the finger
AT_MOST = _("At most %(max)d characters.")


class AmountField(StringField):
    """Money as it is typed; `amount` is what it comes to once it is valid."""

    def __init__(self, label: Any, validators: Sequence[Any] = (), **kwargs: Any) -> None:
        render = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(label, [DataRequired(_("Type an amount.")), *validators], render_kw=render, **kwargs)
        self.currency = ""
        self.amount = Money(0, "")

    def pre_validate(self, form: Any) -> None:
        """Read the text; the form says in which currency."""
        amount = money.parse(self.data or "", self.currency)
        if amount is None:
            raise StopValidation(_("Type an amount like 24.50, in digits."))
        if not amount:
            raise StopValidation(_("Type an amount above zero."))
        self.amount = amount


class PaymentForm(Form):
    """Money that came outside the web."""

    amount = AmountField(_("Amount"))
    how = RadioField(
        _("How it came"), choices=[SelectChoice(value, label) for value, label in WAYS.items()], default="cash"
    )
    note = StringField(
        _("Reference"),
        [Optional(), Length(max=200, message=AT_MOST)],
        description=_("The receipt of the terminal, the line of the bank statement, the number of the cheque."),
    )
    seen = HiddenField()

    def __init__(self, currency: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.amount.currency = currency

    @property
    def seen_amount(self) -> int:
        """What was due when the form was shown; nobody's guess for anything that is no number."""
        text = self.seen.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


class ShipForm(Form):
    """A parcel that goes on its way."""

    carrier = StringField(_("Carrier"), [Optional(), Length(max=60, message=AT_MOST)])
    tracking_number = StringField(
        _("Tracking number"),
        [Optional(), Length(max=80, message=AT_MOST)],
        description=_("The buyer reads both in the mail that tells of the parcel."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class CancelForm(Form):
    """An order that comes to nothing."""

    why = StringField(
        _("Reason"),
        [DataRequired(_("Say why, for whoever looks at this order later.")), Length(max=200, message=AT_MOST)],
    )


class ExtendForm(Form):
    """More time to pay."""

    days = IntegerField(
        _("Days from now"),
        [
            InputRequired(_("How many days?")),
            NumberRange(1, MOST_DAYS, message=_("From %(min)s to %(max)s days.")),
        ],
    )


class NoteForm(Form):
    """A note for staff alone."""

    note = TextAreaField(
        _("Note"), [DataRequired(_("Type the note.")), Length(max=1000, message=AT_MOST)], render_kw={"rows": 4}
    )


class DismissForm(Form):
    """What became of money that needed care."""

    why = StringField(
        _("What was done"),
        [DataRequired(_("Say what was done about it.")), Length(max=200, message=AT_MOST)],
    )


class ProduceForm(Form):
    """One press: how far a line of cards is, and how far it was."""

    status = RadioField(choices=[SelectChoice(status.value) for status in ProductionStatus])
    was = RadioField(choices=[SelectChoice(status.value) for status in ProductionStatus])


class SwapForm(Form):
    """The card from stock that goes into the box."""

    token = StringField(
        _("Token of the card from stock"),
        [DataRequired(_("Scan the card, or type its token."))],
        description=_(
            "Of the same design, new and free. It takes over the claim code; the card that was made retires."
        ),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )


class PressForm(Form):
    """A button alone."""


class CreditForm(Form):
    """Credit for one person."""

    amount = AmountField(_("Amount"))
    why = StringField(
        _("Reason"),
        [DataRequired(_("Say what it is given for.")), Length(max=200, message=AT_MOST)],
        description=_("The customer can read it."),
    )
    seen = HiddenField()

    def __init__(self, currency: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.amount.currency = currency

    def validate_amount(self, field: AmountField) -> None:
        """Refuse what is a slip of the finger."""
        if field.amount.amount > MOST_CREDIT:
            raise StopValidation(_("This is more than can be given at once."))

    @property
    def seen_amount(self) -> int:
        """The balance when the form was shown; nobody's for anything that is no number."""
        text = self.seen.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


LONGEST_EMAIL = EMAIL_LENGTH
