"""Forms for shop pages."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, IntegerField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from ...ids import parse_number
from ...models import PageMenu, ShopPage
from ...services.content.pages import BODY_LENGTH, DESCRIPTION_LENGTH, LAST_POSITION, SLUG_LENGTH, TITLE_LENGTH
from ...web.forms import Form

AT_MOST = _("Enter %(max)d characters or fewer.")
MENUS = {
    PageMenu.NONE: _("None"),
    PageMenu.TOP: _("Header"),
    PageMenu.FOOTER: _("Footer"),
}
LONGEST_VERSION = 12


def as_text(value: Any) -> str:
    """A number of a row as a hidden field holds it."""
    return "" if value is None else str(value)


class PageForm(Form):
    """A page in Markdown."""

    title = StringField(_("Title"), [DataRequired(_("Enter a title.")), Length(max=TITLE_LENGTH, message=AT_MOST)])
    slug = StringField(
        _("URL"),
        [Optional(), Length(max=SLUG_LENGTH, message=AT_MOST)],
        description=_(
            "The last part of the page’s URL, for example opening-hours. Leave blank to create it from the title."
        ),
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )
    body = TextAreaField(
        _("Content"),
        [Optional(), Length(max=BODY_LENGTH, message=AT_MOST)],
        description=_("Use Markdown: # Heading, **bold**, - list, [link](https://example.com)."),
        render_kw={"rows": 18},
    )
    description = StringField(
        _("Description"),
        [Optional(), Length(max=DESCRIPTION_LENGTH, message=AT_MOST)],
        description=_("One or two sentences for search engines."),
    )
    menu = SelectField(_("Menu"), choices=[SelectChoice(each.value, label) for each, label in MENUS.items()])
    position = IntegerField(
        _("Position"),
        [
            InputRequired(_("Enter a number.")),
            NumberRange(0, LAST_POSITION, message=_("Enter a number from %(min)s to %(max)s.")),
        ],
        default=0,
        description=_("Position in the menu. Lower numbers come first."),
    )
    is_published = BooleanField(_("Published"), description=_("Unpublished pages are only visible to staff."))
    version = HiddenField(validators=[Length(max=LONGEST_VERSION)], filters=[as_text])

    @classmethod
    def of(cls, page: ShopPage) -> "PageForm":
        """The form of a page as it is, or as it was sent."""
        return cls(obj=page)

    @property
    def opened_version(self) -> int:
        """Which version of the page was opened; none that exists if it was tampered with."""
        return parse_number((self.version.raw_data or [""])[0]) or 0

    def values(self) -> dict[str, Any]:
        """What was typed, for the rules."""
        typed = {name: self[name].data or "" for name in ("title", "slug", "body", "description")}
        return {
            **typed,
            "menu": PageMenu(self.menu.data),
            "position": self.position.data,
            "is_published": bool(self.is_published.data),
        }
