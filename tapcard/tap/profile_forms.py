"""Forms to edit a profile with its pictures, and its extra links."""

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
ACCEPTED_TYPES = {"accept": "image/jpeg,image/png,image/webp"}
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


def _text_field(label: Any, field: str, **keyword_arguments: Any) -> StringField:
    keywords = {"maxlength": fields.MAX_LENGTHS[field], **keyword_arguments.pop("render_kw", {})}
    return StringField(label, render_kw=keywords, **keyword_arguments)


def _social_field(field: str) -> StringField:
    keywords = {"autocapitalize": "off", "autocorrect": "off", "spellcheck": "false", "maxlength": 300}
    return StringField(social_handles.SITES[field].name, render_kw=keywords)


class ProfileForm(Form):
    """Form for all contents of a public page; every field is checked, so that all errors show at once."""

    photo = FileField(
        _("Photo"),
        description=_("JPEG, PNG or WebP, up to 8 MB. Shown as a circle, cropped from the centre."),
        render_kw=ACCEPTED_TYPES,
    )
    crop_x = HiddenField()
    crop_y = HiddenField()
    crop_size = HiddenField()
    photo_kept = HiddenField()
    remove_photo = BooleanField(_("Remove photo"))
    banner = FileField(
        _("Banner"),
        description=_("A wide image for the top of your profile. Without one, we use the colours below."),
        render_kw=ACCEPTED_TYPES,
    )
    banner_kept = HiddenField()
    remove_banner = BooleanField(_("Remove banner"))
    theme = RadioField(
        _("Colours"),
        choices=[SelectChoice(value.value, label) for value, label in THEMES.items()],
        validators=[validators.Optional()],
    )
    name = _text_field(_("Name"), "name", render_kw={"autocomplete": "name"})
    headline = _text_field(_("Headline"), "headline", render_kw={"autocomplete": "organization-title"})
    company = _text_field(_("Company"), "company", render_kw={"autocomplete": "organization"})
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
    linkedin = _social_field("linkedin")
    instagram = _social_field("instagram")
    snapchat = _social_field("snapchat")
    x = _social_field("x")
    tiktok = _social_field("tiktok")
    youtube = _social_field("youtube")
    facebook = _social_field("facebook")
    github = _social_field("github")
    slug = StringField(
        _("Profile address"),
        render_kw={"autocapitalize": "off", "autocorrect": "off", "spellcheck": "false", "maxlength": 25},
    )
    hidden = SelectMultipleField(
        _("Hidden details"),
        choices=[SelectChoice(*item) for item in HIDEABLE.items()],
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
        texts = profiles.form_values(own) if own else {"name": name}
        super().__init__(
            data={
                **texts,
                "theme": appearance.theme.value,
                "hidden": list(appearance.hidden),
                "is_private": not appearance.is_public,
            }
        )
        self.region = region
        self.initial_appearance = appearance
        self.uploads: dict[str, str | None] = dict.fromkeys(PICTURES)
        self.stored_uploads: list[str] = []
        for field in self:
            if isinstance(field, StringField) and not isinstance(field.data, str):
                field.data = ""  # a file was submitted instead of a text

    @property
    def socials(self) -> list[StringField]:
        """Return the fields of the social networks, in their order."""
        return [self[key] for key in SOCIALS]

    @property
    def texts(self) -> dict[str, str]:
        """Return the submitted texts by field name."""
        return {name: self[name].data or "" for name in fields.TEXT_FIELDS}

    def appearance(self, before: Appearance | None = None) -> Appearance:
        """Return the submitted appearance; `before` is the stored one if the profile was loaded again."""
        before = before or self.initial_appearance
        return Appearance(
            photo=self._picture("photo", before.photo),
            banner=self._picture("banner", before.banner),
            theme=ProfileTheme(self.theme.data) if self.theme.data in set(ProfileTheme) else before.theme,
            is_public=not self.is_private.data,
            hidden=tuple(self.hidden.data or ()),
        )

    @property
    def seen_version(self) -> int:
        """Return the version of the profile that the form was filled with; 0 if it is missing or invalid."""
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

    def store_pictures(self, user_id: int) -> None:
        """Store the submitted pictures, or reuse those stored by an earlier submission of the form.

        So a picture is not lost when another field is invalid: its name is resubmitted, signed for this user.
        """
        for key in PICTURES:
            self.uploads[key] = self._verified_upload(key, user_id)
            if self[key].data:
                data = self._make_picture(key)
                if data is not None:
                    self.uploads[key] = stored = files.store(data, uploads.folder())
                    self.stored_uploads.append(stored)
                    self[f"remove_{key}"].data = False
            elif self[f"remove_{key}"].data:
                self.uploads[key] = None
            name = self.uploads[key]
            self[f"{key}_kept"].data = _keys().sign(f"profile-{key}", [user_id, name]) if name else ""

    def preview_pictures(self, user_id: int) -> dict[str, str | None]:
        """Return `data:` URLs of the submitted pictures for a preview, without storing them."""
        urls: dict[str, str | None] = {}
        for key in PICTURES:
            data = self._make_picture(key) if self[key].data else None
            self.uploads[key] = self._verified_upload(key, user_id)
            urls[key] = f"data:image/webp;base64,{base64.b64encode(data).decode()}" if data else None
        return urls

    def _make_picture(self, key: str) -> bytes | None:
        try:
            data = uploads.read_limited(self[key].data)
            return images.make_photo(data, self._crop()) if key == "photo" else images.make_banner(data)
        except images.InvalidImage as error:
            self[key].process_errors.append(gettext(error.message, **error.params))
            return None

    def _crop(self) -> images.Crop | None:
        """Return the selected part of the photo, or None without JavaScript."""
        texts = [str(self[name].data or "")[:30] for name in ("crop_x", "crop_y", "crop_size")]
        if not any(texts):
            return None
        try:
            return images.Crop(*(float(text) for text in texts))
        except ValueError:
            return images.Crop(0, 0, 0)  # invalid, like a part outside the picture

    def _picture(self, key: str, before: str | None) -> str | None:
        return self.uploads[key] or (None if self[f"remove_{key}"].data else before)

    def _verified_upload(self, key: str, user_id: int) -> str | None:
        value = _keys().unsign(f"profile-{key}", self[f"{key}_kept"].data, PICTURE_TOKEN_LIFETIME)
        if value is None:
            return None
        owner_id, name = value
        return name if owner_id == user_id and files.exists(name, uploads.folder()) else None


class LinkForm(Form):
    """Form for an extra link of a profile."""

    title = StringField(
        _("Title"),
        description=_("The text visitors see, such as “My portfolio”."),
        render_kw={"maxlength": links.MAX_TITLE_LENGTH, "autocomplete": "off"},
    )
    url = StringField(
        _("Web address"),
        description=_("You can also use mailto:, tel: and sms: links."),
        render_kw={"inputmode": "url", "autocapitalize": "off", "autocorrect": "off", "spellcheck": "false"},
    )
    seen = HiddenField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for field in self:
            if isinstance(field, StringField) and not isinstance(field.data, str):
                field.data = ""  # a file was submitted instead of a text

    def check(self, own_hosts: Collection[str]) -> bool:
        """Return whether both fields are valid; all errors show at once."""
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
