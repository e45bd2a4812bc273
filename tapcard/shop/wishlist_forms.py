"""Form to select products of a wishlist."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import SelectMultipleField

from ..ids import parse_id
from ..web.forms import Form, add_error


class SelectionForm(Form):
    """Form with the selected products, by their ids."""

    product = SelectMultipleField(_("Items"), choices=[], validate_choice=False)

    @property
    def ids(self) -> set[int]:
        """Return the submitted values that are valid ids."""
        return {product_id for text in self.product.data or () if (product_id := parse_id(text))}

    def validate(self, extra_validators: object = None) -> bool:
        """Require at least one selected product."""
        is_valid = super().validate(extra_validators)
        if not self.ids:
            add_error(self.product, gettext("Select at least one item."))
            return False
        return is_valid
