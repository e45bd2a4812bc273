"""Form for ordering cards: design or artwork, options and quantity."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectChoice

from .. import images
from ..models import CartLine, Design, Product
from ..services.cart.editing import LineRequest
from ..web.forms import add_error
from ..web.pictures import PictureField
from .add_to_cart_forms import BuyForm

OWN = "own"
ABOUT_ARTWORK = _(
    "JPEG, PNG or WebP, up to 8 MB, at least %(least)s pixels on the shorter side. "
    "We print the centre of the image at 85.6 × 54 mm, landscape.",
    least=images.MIN_ARTWORK_SIDE,
)


class OrderCardsForm(BuyForm):
    """Form to order cards: a design, or artwork for both sides, with the options of the product."""

    design = RadioField(_("Design"), validate_choice=False)
    front = PictureField(_("Front"), description=ABOUT_ARTWORK, make=images.make_artwork)
    rear = PictureField(
        _("Back"),
        description=_("If you don't upload one, the back explains how the card works."),
        make=images.make_artwork,
    )

    def __init__(self, product: Product, designs: Sequence[Design], **kwargs: Any) -> None:
        super().__init__(product, **kwargs)
        self.designs = designs
        self.design.choices = [
            *(SelectChoice(str(design.id), design.name) for design in designs),
            SelectChoice(OWN, _("Your own artwork")),
        ]

    @property
    def selected_design(self) -> Design | None:
        """Return the selected design; None for artwork or an unknown design."""
        return next((design for design in self.designs if str(design.id) == self.design.data), None)

    @property
    def is_own_artwork(self) -> bool:
        """Return whether artwork is to be printed; a picture without a chosen design means that."""
        return self.design.data == OWN or (not self.design.data and self.front.upload is not None)

    def fill(self, line: CartLine) -> None:
        """Fill the form with a line of the cart and its artwork."""
        super().fill(line)
        if line.front_picture:
            self.design.data = OWN
            self.front.restore(line.front_picture)
            self.rear.restore(line.rear_picture)

    def line_request(self) -> LineRequest:
        """Return the requested product with its options, and design or artwork."""
        front, rear = (self.front.upload, self.rear.upload) if self.is_own_artwork else (None, None)
        return LineRequest(self.product, self.number, self.answers, self.uploads, self.selected_design, front, rear)

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse cards with neither a design nor artwork, or with both."""
        is_valid = super().validate(extra_validators)
        if self.is_own_artwork:
            if self.front.upload is None and not self.front.errors:
                add_error(self.front, gettext("Choose an image for the front."))
            return is_valid and not self.front.errors
        if self.selected_design is None and self.design.data:
            add_error(self.design, gettext("This design isn't available. Choose another one."))
        elif self.selected_design is None:
            add_error(self.design, gettext("Choose a design or upload an image for the front."))
        elif self.front.data or self.rear.data:
            add_error(self.design, gettext("Choose either a design or your own images, not both."))
        return is_valid and not self.design.errors
