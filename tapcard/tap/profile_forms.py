"""What holders type about themselves, and the pictures they send along."""

import base64
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
    TextAreaField,
    validators,
)
from wtforms.widgets import CheckboxInput, ListWidget

from .. import files, images
from ..errors import DomainError
from ..ids import parse_number
from ..keys import Keys
from ..models import SOCIALS, Profile, ProfileTheme
from ..services.profiles import fields, links, profiles, social_handles
from ..services.profiles.profiles import Appearance
from ..web import uploads
from ..web.forms import Form, add_error

PICTURE_TOKEN_LIFETIME = timedelta(hours=12)  # shorter than uploads without a profile are kept
PICTURES = ("photo", "banner")
TAKEN_PICTURES = {"accept": "image/jpeg,image/png,image/webp"}
THEMES = {
    ProfileTheme.LAKE: _("Lake"),
    ProfileTheme.EMBER: _("Ember"),
    ProfileTheme.FOREST: _("Forest"),
    ProfileTheme.NIGHT: _("Night"),
    ProfileTheme.ROSE: _("Rose"),
}
HIDEABLE = {
    "phone": _("Phone"),
    "whatsapp": "WhatsApp",
    "email": _("Email"),
    "website": _("Website"),
    "address": _("Address"),
    **{key: social_handles.SITES[key].name for key in SOCIALS},
}


def _about(label: Any, field: str, **more: Any) -> StringField:
    keywords = {"maxlength": fields.MAX_LENGTHS[field], **more.pop("render_kw", {})}
    return StringField(label, render_kw=keywords, **more)


def _elsewhere(field: str) -> StringField:
    keywords = {"autocapitalize": "off", "autocorrect": "off", "spellcheck": "false", "maxlength": 300}
    return StringField(social_handles.SITES[field].name, render_kw=keywords)


class ProfileForm(Form):
    """Everything on a public page; every field is looked at, so that all errors show at once."""

    photo = FileField(
        _("Photo"),
        description=_("JPEG, PNG or WebP, up to 8 MB. Shown as a circle, cropped from the centre."),
        render_kw=TAKEN_PICTURES,
    )
    crop_x = HiddenField()
    crop_y = HiddenField()
    crop_size = HiddenField()
    photo_kept = HiddenField()
    remove_photo = BooleanField(_("Remove photo"))
    banner = FileField(
        _("Banner"),
        description=_("A wide image for the top of your profile. Without one, we use the colours below."),
        render_kw=TAKEN_PICTURES,
    )
    banner_kept = HiddenField()
    remove_banner = BooleanField(_("Remove banner"))
    theme = RadioField(
        _("Colours"),
        choices=[SelectChoice(value.value, label) for value, label in THEMES.items()],
        validators=[validators.Optional()],
    )
    name = _about(_("Name"), "name", render_kw={"autocomplete": "name"})
    headline = _about(_("Headline"), "headline", render_kw={"autocomplete": "organization-title"})
    company = _about(_("Company"), "company", render_kw={"autocomplete": "organization"})
    bio = TextAreaField(_("About you"), render_kw={"maxlength": fields.MAX_LENGTHS["bio"], "rows": 4})
    phone = StringField(_("Phone"), render_kw={"type": "tel", "autocomplete": "tel", "maxlength": 60})
    whatsapp = StringField(_("WhatsApp"), render_kw={"type": "tel", "autocomplete": "tel", "maxlength": 60})
    email = StringField(
        _("Email"),
        description=_("Visible to everyone who opens your profile."),
        render_kw={"type": "email", "autocomplete": "email", "maxlength": 254},
    )
    website = StringField(
        _("Website"),
        render_kw={"inputmode": "url", "autocomplete": "url", "autocapitalize": "off", "spellcheck": "false"},
    )
    address = TextAreaField(
        _("Address"),
        render_kw={"autocomplete": "street-address", "maxlength": fields.MAX_LENGTHS["address"], "rows": 3},
    )
    linkedin = _elsewhere("linkedin")
    instagram = _elsewhere("instagram")
    snapchat = _elsewhere("snapchat")
    x = _elsewhere("x")
    tiktok = _elsewhere("tiktok")
    youtube = _elsewhere("youtube")
    facebook = _elsewhere("facebook")
    github = _elsewhere("github")
    slug = StringField(
        _("Profile address"),
        render_kw={"autocapitalize": "off", "autocorrect": "off", "spellcheck": "false", "maxlength": 25},
    )
    hidden = SelectMultipleField(
        _("Hidden details"),
        choices=[SelectChoice(*each) for each in HIDEABLE.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    is_private = BooleanField(
        _("Make this profile private"),
        description=_("Visitors see “This profile is private”."),
    )
    version = HiddenField()

    def __init__(self, region: str, own: Profile | None, *, name: str = "") -> None:
        appearance = profiles.appearance_of(own) if own else Appearance()
        typed = profiles.form_values(own) if own else {"name": name}
        super().__init__(
            data={
                **typed,
                "theme": appearance.theme.value,
                "hidden": list(appearance.hidden),
                "is_private": not appearance.is_public,
            }
        )
        self.region = region
        self.before = appearance
        self.new: dict[str, str | None] = dict.fromkeys(PICTURES)
        self.stored: list[str] = []
        for field in self:
            if isinstance(field, StringField) and not isinstance(field.data, str):
                field.data = ""  # a file, sent where a text belongs

    @property
    def socials(self) -> list[StringField]:
        """The fields of other sites, in their order."""
        return [self[key] for key in SOCIALS]

    @property
    def typed(self) -> dict[str, str]:
        """The texts, by the names that the rules know."""
        return {name: self[name].data or "" for name in fields.TEXT_FIELDS}

    def appearance(self, before: Appearance | None = None) -> Appearance:
        """What was chosen; `before` is how the profile looked when it was loaded again."""
        before = before or self.before
        return Appearance(
            photo=self._picture("photo", before.photo),
            banner=self._picture("banner", before.banner),
            theme=ProfileTheme(self.theme.data) if self.theme.data in set(ProfileTheme) else before.theme,
            is_public=not self.is_private.data,
            hidden=tuple(self.hidden.data or ()),
        )

    @property
    def seen_version(self) -> int:
        """The version that was on the screen when somebody began to type; 0 when it is missing or made up."""
        return parse_number(str(self.version.data or ""), max_digits=9) or 0

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        for name in fields.TEXT_FIELDS:
            field = self[name]
            if field.errors:
                continue
            try:
                fields.clean(name, field.data or "", self.region)
            except DomainError as error:
                add_error(field, gettext(error.message, **error.params))
                valid = False
        return valid

    def take_pictures(self, user_id: int) -> None:
        """Store the pictures that were sent along, or find those kept from the try before.

        A picture outlives the errors of other fields: its name travels on, signed for this person.
        """
        for key in PICTURES:
            self.new[key] = self._kept(key, user_id)
            if self[key].data:
                data = self._drawn(key)
                if data is not None:
                    self.new[key] = name = files.store(data, uploads.folder())
                    self.stored.append(name)
                    self[f"remove_{key}"].data = False
            elif self[f"remove_{key}"].data:
                self.new[key] = None
            kept = self.new[key]
            self[f"{key}_kept"].data = _keys().sign(f"profile-{key}", [user_id, kept]) if kept else ""

    def draw_pictures(self, user_id: int) -> dict[str, str | None]:
        """Addresses of the pictures of a preview: what was sent along stands in the address itself, stored nowhere."""
        shown: dict[str, str | None] = {}
        for key in PICTURES:
            data = self._drawn(key) if self[key].data else None
            self.new[key] = self._kept(key, user_id)
            shown[key] = f"data:image/webp;base64,{base64.b64encode(data).decode()}" if data else None
        return shown

    def _drawn(self, key: str) -> bytes | None:
        try:
            data = uploads.read_limited(self[key].data)
            return images.make_photo(data, self._crop()) if key == "photo" else images.make_banner(data)
        except images.BadPicture as error:
            self[key].process_errors.append(gettext(error.message, **error.params))
            return None

    def _crop(self) -> images.Crop | None:
        """The part that was chosen; without JavaScript nothing is said of it."""
        texts = [str(self[name].data or "")[:30] for name in ("crop_x", "crop_y", "crop_size")]
        if not any(texts):
            return None
        try:
            return images.Crop(*(float(text) for text in texts))
        except ValueError:
            return images.Crop(0, 0, 0)  # refused with the others that are no part of a picture

    def _picture(self, key: str, before: str | None) -> str | None:
        return self.new[key] or (None if self[f"remove_{key}"].data else before)

    def _kept(self, key: str, user_id: int) -> str | None:
        value = _keys().unsign(f"profile-{key}", self[f"{key}_kept"].data, PICTURE_TOKEN_LIFETIME)
        if value is None:
            return None
        owner_id, name = value
        return name if owner_id == user_id and files.exists(name, uploads.folder()) else None


class LinkForm(Form):
    """A link of a profile."""

    title = StringField(
        _("Title"),
        description=_("The text visitors see, such as “My portfolio”."),
        render_kw={"maxlength": links.MAX_TITLE_LENGTH, "autocomplete": "off"},
    )
    url = StringField(
        _("Address"),
        description=_("A web address, or a mailto:, tel: or sms: link."),
        render_kw={"inputmode": "url", "autocapitalize": "off", "autocorrect": "off", "spellcheck": "false"},
    )
    seen = HiddenField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for field in self:
            if isinstance(field, StringField) and not isinstance(field.data, str):
                field.data = ""  # a file, sent where a text belongs

    def check(self, own_hosts: Collection[str]) -> bool:
        """Look at both fields, so that all errors show at once."""
        valid = self.validate()
        checks: dict[str, Callable[[], str]] = {
            "title": lambda: links.clean_title(self.title.data or ""),
            "url": lambda: links.clean_url(self.url.data or "", own_hosts),
        }
        for name, clean in checks.items():
            if self[name].errors:
                continue
            try:
                clean()
            except DomainError as error:
                add_error(self[name], gettext(error.message, **error.params))
                valid = False
        return valid


def _keys() -> Keys:
    keys: Keys = current_app.extensions["keys"]
    return keys
