"""Which wishes something is to be done with."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import SelectMultipleField

from ..ids import parse_id
from ..web.forms import Form, add_error


class ChosenForm(Form):
    """Some wishes, by the ids of their products."""

    product = SelectMultipleField(_("Items"), choices=[], validate_choice=False)

    @property
    def ids(self) -> set[int]:
        """Those that can be ids at all."""
        return {product_id for text in self.product.data or () if (product_id := parse_id(text))}

    def validate(self, extra_validators: object = None) -> bool:
        """Refuse to do something with nothing."""
        is_valid = super().validate(extra_validators)
        if not self.ids:
            add_error(self.product, gettext("Select at least one item."))
            return False
        return is_valid
