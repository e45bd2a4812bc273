"""Forms for designs and for approving customer artwork."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, FileField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from ...models import Design
from ...services.cards.designs import MAX_REASON_LENGTH
from ...services.core import optimistic_lock
from ...web.fields import MoneyField
from ...web.forms import Form
from ..catalogue.category_forms import PICTURE_INPUT
from ..catalogue.product_forms import TOO_LONG


class DesignForm(Form):
    """A design offered by the shop."""

    name = StringField(_("Name"), [DataRequired(_("Enter a name.")), Length(max=50, message=TOO_LONG)])
    front = FileField(
        _("Front"),
        description=_("JPEG, PNG or WebP, up to 8 MB. We crop the centre to the shape of a card."),
        render_kw=PICTURE_INPUT,
    )
    remove_front = BooleanField(_("Remove front image"))
    rear = FileField(_("Back"), render_kw=PICTURE_INPUT)
    remove_rear = BooleanField(_("Remove back image"))
    card_amount = MoneyField(
        _("Card price"), description=_("Replaces the product's price. Leave blank to use the product's price.")
    )
    activation_amount = MoneyField(_("Activation price"), description=_("Leave blank to use the standard price."))
    is_public = BooleanField(_("Available to all customers"), default=True)
    seen = HiddenField()

    def __init__(self, design: Design | None = None) -> None:
        names = ("name", "card_amount", "activation_amount", "is_public")
        data: dict[str, Any] = {}
        if design is not None:
            data = {name: getattr(design, name) for name in names} | {"seen": optimistic_lock.fingerprint(design)}
        super().__init__(data=data)

    def values(self, front: str | None, rear: str | None) -> dict[str, Any]:
        """Return the submitted values by column, with the names of the stored pictures."""
        return {
            "name": self.name.data,
            "card_amount": self.card_amount.data,
            "activation_amount": self.activation_amount.data,
            "is_public": bool(self.is_public.data),
            "front_picture": front,
            "rear_picture": rear,
        }


class RejectForm(Form):
    """The reason why artwork is rejected."""

    why = TextAreaField(
        _("Reason for rejection"),
        [Length(max=MAX_REASON_LENGTH, message=TOO_LONG)],
        description=_("Included in the email to the customer. Say what would help, such as a larger image."),
    )
