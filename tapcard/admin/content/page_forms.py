"""Forms for shop pages."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, IntegerField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from ...ids import parse_number
from ...models import PageMenu
from ...services.content.pages import (
    MAX_BODY_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_POSITION,
    MAX_SLUG_LENGTH,
    MAX_TITLE_LENGTH,
    PageContent,
)
from ...web.forms import Form

TOO_LONG = _("Enter %(max)d characters or fewer.")
MENUS = {
    PageMenu.NONE: _("None"),
    PageMenu.TOP: _("Header"),
    PageMenu.FOOTER: _("Footer"),
}
MAX_VERSION_LENGTH = 12


def format_number(value: Any) -> str:
    """Return a number as text, or an empty text for None."""
    return "" if value is None else str(value)


class PageForm(Form):
    """A shop page, written in Markdown."""

    title = StringField(_("Title"), [DataRequired(_("Enter a title.")), Length(max=MAX_TITLE_LENGTH, message=TOO_LONG)])
    slug = StringField(
        _("URL"),
        [Optional(), Length(max=MAX_SLUG_LENGTH, message=TOO_LONG)],
        description=_(
            "The last part of the page's URL, for example opening-hours. Leave blank to create it from the title."
        ),
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )
    body = TextAreaField(
        _("Content"),
        [Optional(), Length(max=MAX_BODY_LENGTH, message=TOO_LONG)],
        description=_("Use Markdown: # Heading, **bold**, - list, [link](https://example.com)."),
        render_kw={"rows": 18},
    )
    description = StringField(
        _("Description"),
        [Optional(), Length(max=MAX_DESCRIPTION_LENGTH, message=TOO_LONG)],
        description=_("One or two sentences for search engines."),
    )
    menu = SelectField(_("Menu"), choices=[SelectChoice(menu.value, label) for menu, label in MENUS.items()])
    position = IntegerField(
        _("Position"),
        [
            InputRequired(_("Enter a number.")),
            NumberRange(0, MAX_POSITION, message=_("Enter a number from %(min)s to %(max)s.")),
        ],
        default=0,
        description=_("Position in the menu. Lower numbers come first."),
    )
    is_published = BooleanField(_("Published"), description=_("Unpublished pages are only visible to staff."))
    version = HiddenField(validators=[Length(max=MAX_VERSION_LENGTH)], filters=[format_number])

    @property
    def opened_version(self) -> int:
        """Return the version that the form was opened with, or 0 if it is missing or invalid."""
        return parse_number((self.version.raw_data or [""])[0]) or 0

    @property
    def content(self) -> PageContent:
        """Return the submitted values."""
        return PageContent(
            title=self.title.data or "",
            slug=self.slug.data or "",
            body=self.body.data or "",
            description=self.description.data or "",
            menu=PageMenu(self.menu.data),
            position=self.position.data,
            is_published=bool(self.is_published.data),
        )
