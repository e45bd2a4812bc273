"""Forms for orders, payments and store credit."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, StopValidation

from ... import money
from ...ids import parse_number
from ...models import ProductionStatus
from ...money import Money
from ...web.forms import Form

PAYMENT_METHODS = {
    "cash": _("Cash"),
    "transfer": _("Bank transfer"),
    "cheque": _("Cheque"),
    "terminal": _("Card terminal"),
}
MAX_DAYS = 60
MAX_CREDIT = 100_000_000  # minor units per entry; a larger amount is probably a typo
TOO_LONG = _("Enter %(max)d characters or fewer.")


class AmountField(StringField):
    """An amount of money; `amount` holds the parsed value once the field is valid."""

    def __init__(self, label: Any, validators: Sequence[Any] = (), **kwargs: Any) -> None:
        render = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(label, [DataRequired(_("Enter an amount.")), *validators], render_kw=render, **kwargs)
        self.currency = ""
        self.amount = Money(0, "")

    def pre_validate(self, form: Any) -> None:
        """Parse the text as an amount above zero in the form's currency."""
        amount = money.parse(self.data or "", self.currency)
        if amount is None:
            raise StopValidation(_("Enter an amount such as 24.50."))
        if not amount:
            raise StopValidation(_("Enter an amount above zero."))
        self.amount = amount


class PaymentForm(Form):
    """A payment received offline."""

    amount = AmountField(_("Amount"))
    how = RadioField(
        _("Payment method"),
        choices=[SelectChoice(value, label) for value, label in PAYMENT_METHODS.items()],
        default="cash",
    )
    note = StringField(
        _("Reference"),
        [Optional(), Length(max=200, message=TOO_LONG)],
        description=_("For example, the receipt number, bank transfer reference or cheque number."),
    )
    seen = HiddenField()

    def __init__(self, currency: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.amount.currency = currency

    @property
    def seen_amount(self) -> int:
        """Return the amount due when the form was shown, in minor units, or -1 if it isn't a number."""
        amount = parse_number(self.seen.data)
        return -1 if amount is None else amount


class ShipForm(Form):
    """Carrier and tracking number of a shipment."""

    carrier = StringField(_("Carrier"), [Optional(), Length(max=60, message=TOO_LONG)])
    tracking_number = StringField(
        _("Tracking number"),
        [Optional(), Length(max=80, message=TOO_LONG)],
        description=_("We include both in the shipping email to the customer."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class CancelForm(Form):
    """The reason why an order is canceled."""

    why = StringField(
        _("Reason"),
        [DataRequired(_("Enter a reason.")), Length(max=200, message=TOO_LONG)],
    )


class ExtendForm(Form):
    """The number of days by which a payment deadline is extended."""

    days = IntegerField(
        _("Days to add from today"),
        [
            InputRequired(_("Enter a number of days.")),
            NumberRange(1, MAX_DAYS, message=_("Enter a number from %(min)s to %(max)s.")),
        ],
    )


class NoteForm(Form):
    """An internal note for staff."""

    note = TextAreaField(
        _("Note"), [DataRequired(_("Enter a note.")), Length(max=1000, message=TOO_LONG)], render_kw={"rows": 4}
    )


class DismissForm(Form):
    """How a payment that needed review was resolved."""

    why = StringField(
        _("How it was resolved"),
        [DataRequired(_("Enter how it was resolved.")), Length(max=200, message=TOO_LONG)],
    )


class ProductionForm(Form):
    """New and previous production status of an order line."""

    status = RadioField(choices=[SelectChoice(status.value) for status in ProductionStatus])
    was = RadioField(choices=[SelectChoice(status.value) for status in ProductionStatus])


class SwapForm(Form):
    """The card from stock that replaces an ordered card."""

    token = StringField(
        _("Token of the card from stock"),
        [DataRequired(_("Scan the card or enter its token."))],
        description=_(
            "Use an unclaimed card with the same design. It takes over the claim code. The original card is retired."
        ),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )


class ButtonForm(Form):
    """A button without fields."""


class CreditForm(Form):
    """Store credit for a customer."""

    amount = AmountField(_("Amount"))
    why = StringField(
        _("Reason"),
        [DataRequired(_("Enter a reason.")), Length(max=200, message=TOO_LONG)],
        description=_("The customer can see this."),
    )
    seen = HiddenField()

    def __init__(self, currency: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.amount.currency = currency

    def validate_amount(self, field: AmountField) -> None:
        """Refuse amounts above `MAX_CREDIT`."""
        if field.amount.amount > MAX_CREDIT:
            raise StopValidation(_("That's more than you can give at once. Enter a smaller amount."))

    @property
    def seen_amount(self) -> int:
        """Return the balance when the form was shown, in minor units, or -1 if it isn't a number."""
        amount = parse_number(self.seen.data)
        return -1 if amount is None else amount
