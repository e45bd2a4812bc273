"""What staff type about designs, and decide about buyers' own artwork."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, FileField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from ...models import Design
from ...services.cards.design_keeping import LONGEST_REASON
from ...services.core import keeping
from ...web.fields import MoneyField
from ...web.forms import Form
from ..catalogue.category_forms import TAKEN_PICTURES
from ..catalogue.product_forms import AT_MOST


class DesignForm(Form):
    """A design of the shop's own."""

    name = StringField(_("Name"), [DataRequired(_("What is it called?")), Length(max=50, message=AT_MOST)])
    front = FileField(
        _("Front"),
        description=_("JPEG, PNG or WebP, up to 8 MB; the middle of it, in the proportion of a card."),
        render_kw=TAKEN_PICTURES,
    )
    remove_front = BooleanField(_("Remove the front"))
    rear = FileField(_("Rear"), render_kw=TAKEN_PICTURES)
    remove_rear = BooleanField(_("Remove the rear"))
    card_amount = MoneyField(
        _("Price of a card"), description=_("Counts instead of the product’s own price. Blank: what the product costs.")
    )
    activation_amount = MoneyField(_("Price of an activation"), description=_("Blank: the usual price."))
    is_public = BooleanField(_("Everybody may order it"), default=True)
    seen = HiddenField()

    def __init__(self, design: Design | None = None) -> None:
        names = ("name", "card_amount", "activation_amount", "is_public")
        data: dict[str, Any] = {}
        if design is not None:
            data = {name: getattr(design, name) for name in names} | {"seen": keeping.mark_of(design)}
        super().__init__(data=data)

    def typed(self, front: str | None, rear: str | None) -> dict[str, Any]:
        """What was typed, as it is stored, with the pictures there are now."""
        return {
            "name": self.name.data,
            "card_amount": self.card_amount.data,
            "activation_amount": self.activation_amount.data,
            "is_public": bool(self.is_public.data),
            "front_picture": front,
            "rear_picture": rear,
        }


class RejectForm(Form):
    """Why artwork cannot be printed."""

    why = TextAreaField(
        _("Why it cannot be printed"),
        [Length(max=LONGEST_REASON, message=AT_MOST)],
        description=_("The buyer reads it, so say what would help: a larger picture, another motif."),
    )
