"""What staff type about the shop's own pages."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, IntegerField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from ...models import PageMenu, ShopPage
from ...services.content.pages import BODY_LENGTH, DESCRIPTION_LENGTH, LAST_POSITION, SLUG_LENGTH, TITLE_LENGTH
from ...web.forms import Form

AT_MOST = _("At most %(max)d characters.")
MENUS = {
    PageMenu.NONE: _("In no menu"),
    PageMenu.TOP: _("In the bar at the top"),
    PageMenu.FOOTER: _("At the foot of every page"),
}
LONGEST_VERSION = 12


def as_text(value: Any) -> str:
    """A number of a row as a hidden field holds it."""
    return "" if value is None else str(value)


class PageForm(Form):
    """A page in Markdown."""

    title = StringField(
        _("Title"), [DataRequired(_("Give the page a title.")), Length(max=TITLE_LENGTH, message=AT_MOST)]
    )
    slug = StringField(
        _("Address"),
        [Optional(), Length(max=SLUG_LENGTH, message=AT_MOST)],
        description=_("The last part of its address, like opening-hours; left empty, it is made of the title."),
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )
    body = TextAreaField(
        _("Text"),
        [Optional(), Length(max=BODY_LENGTH, message=AT_MOST)],
        description=_("Markdown: # Heading, **bold**, - list, [words](https://example.com)."),
        render_kw={"rows": 18},
    )
    description = StringField(
        _("Description"),
        [Optional(), Length(max=DESCRIPTION_LENGTH, message=AT_MOST)],
        description=_("One or two sentences for search engines."),
    )
    menu = SelectField(_("Link"), choices=[SelectChoice(each.value, label) for each, label in MENUS.items()])
    position = IntegerField(
        _("Position"),
        [
            InputRequired(_("Type a number; small ones come first.")),
            NumberRange(0, LAST_POSITION, message=_("From %(min)s to %(max)s.")),
        ],
        default=0,
        description=_("In the menu; small numbers come first."),
    )
    is_published = BooleanField(_("Published"), description=_("Without this only staff see it, here."))
    version = HiddenField(validators=[Length(max=LONGEST_VERSION)], filters=[as_text])

    @classmethod
    def of(cls, page: ShopPage) -> "PageForm":
        """The form of a page as it is, or as it was sent."""
        return cls(obj=page)

    @property
    def opened_version(self) -> int:
        """Which version of the page was opened; none that exists if it was tampered with."""
        text = (self.version.raw_data or [""])[0]
        return int(text) if text.isascii() and text.isdigit() else 0

    def values(self) -> dict[str, Any]:
        """What was typed, for the rules."""
        typed = {name: self[name].data or "" for name in ("title", "slug", "body", "description")}
        return {
            **typed,
            "menu": PageMenu(self.menu.data),
            "position": self.position.data,
            "is_published": bool(self.is_published.data),
        }
