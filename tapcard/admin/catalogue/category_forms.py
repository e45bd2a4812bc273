"""Forms for categories and collections."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, FileField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from ...models import Category, Collection, CollectionKind
from ...models.products import SLUG_LENGTH
from ...services.core import optimistic_lock
from ...web.forms import Form
from .product_forms import COLLECTION_KINDS, NONE, TOO_LONG, category_choices, choices_of

PICTURE_INPUT = {"accept": "image/jpeg,image/png,image/webp"}


class ListingForm(Form):
    """Fields shared by categories and collections."""

    name = StringField(_("Name"), [DataRequired(_("Enter a name.")), Length(max=100, message=TOO_LONG)])
    description = TextAreaField(
        _("Description"), [Length(max=5000, message=TOO_LONG)], description=_("Shown at the top of the page.")
    )
    slug = StringField(
        _("URL"),
        [Length(max=SLUG_LENGTH, message=TOO_LONG)],
        description=_("The last part of the page's URL. Leave blank to create it from the name."),
        render_kw={"autocapitalize": "off", "spellcheck": "false"},
    )
    is_active = BooleanField(_("Show in shop"), default=True)
    seen = HiddenField()

    @property
    def values(self) -> dict[str, Any]:
        """Return the submitted values by column."""
        return {
            "name": self.name.data,
            "description": self.description.data or "",
            "slug": self.slug.data or "",
            "is_active": bool(self.is_active.data),
        }


def _data_of(row: Category | Collection | None) -> dict[str, Any]:
    if row is None:
        return {}
    names = ("name", "description", "slug", "is_active")
    return {name: getattr(row, name) for name in names} | {"seen": optimistic_lock.fingerprint(row)}


class CategoryForm(ListingForm):
    """A category."""

    parent = SelectField(_("Parent category"), coerce=int, default=NONE)
    picture = FileField(_("Image"), description=_("JPEG, PNG or WebP, up to 8 MB. Optional."), render_kw=PICTURE_INPUT)
    remove_picture = BooleanField(_("Remove image"))

    def __init__(self, tree: Sequence[tuple[Category, int]], category: Category | None = None) -> None:
        data = _data_of(category) | ({"parent": category.parent_id or NONE} if category is not None else {})
        super().__init__(data=data)
        own_id = category.id if category is not None else None
        self.parent.choices = category_choices([(node, depth) for node, depth in tree if node.id != own_id])

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"parent_id": self.parent.data or None}


class CollectionForm(ListingForm):
    """A brand, theme or season."""

    kind = SelectField(_("Collection type"), choices=choices_of(COLLECTION_KINDS))

    def __init__(self, collection: Collection | None = None) -> None:
        data = _data_of(collection) | ({"kind": collection.kind.value} if collection is not None else {})
        super().__init__(data=data)

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"kind": CollectionKind(self.kind.data)}
