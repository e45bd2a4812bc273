"""Which wishes something is to be done with."""

import re

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import SelectMultipleField

from ..web.forms import Form, add_error

NUMBER = re.compile(r"[0-9]{1,18}")


class ChosenForm(Form):
    """Some wishes, by the ids of their products."""

    product = SelectMultipleField(_("Items"), choices=[], validate_choice=False)

    @property
    def ids(self) -> set[int]:
        """Those that can be ids at all."""
        return {int(each) for each in self.product.data or () if each.isascii() and NUMBER.fullmatch(each)}

    def validate(self, extra_validators: object = None) -> bool:
        """Refuse to do something with nothing."""
        is_valid = super().validate(extra_validators)
        if not self.ids:
            add_error(self.product, gettext("Select at least one item."))
            return False
        return is_valid
