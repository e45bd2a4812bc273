"""What holders type about themselves, and the picture they send along."""

from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from itsdangerous import BadSignature, URLSafeTimedSerializer
from wtforms import BooleanField, HiddenField, StringField, TextAreaField

from .. import files, images
from ..errors import DomainError
from ..models import SOCIALS
from ..services import profiles, socials
from ..web import uploads
from ..web.forms import Form, add_error

PICTURE_WAITS = 12 * 60 * 60  # shorter than uploads without a profile are kept


def _about(label: Any, field: str, **more: Any) -> StringField:
    keywords = {"maxlength": profiles.LENGTHS[field], **more.pop("render_kw", {})}
    return StringField(label, render_kw=keywords, **more)


def _elsewhere(field: str) -> StringField:
    keywords = {"autocapitalize": "off", "autocorrect": "off", "spellcheck": "false", "maxlength": 300}
    return StringField(socials.SITES[field].name, render_kw=keywords)


class ProfileForm(Form):
    """Everything on a public page; every field is looked at, so that all errors show at once."""

    photo = FileField(
        _("Photo"),
        description=_("JPEG, PNG or WebP, up to 8 MB. The middle of it becomes a circle."),
        render_kw={"accept": "image/jpeg,image/png,image/webp"},
    )
    photo_kept = HiddenField()
    remove_photo = BooleanField(_("Remove the photo"))
    name = _about(_("Name"), "name", render_kw={"autocomplete": "name"})
    headline = _about(_("What you do"), "headline", render_kw={"autocomplete": "organization-title"})
    company = _about(_("Company"), "company", render_kw={"autocomplete": "organization"})
    bio = TextAreaField(_("About you"), render_kw={"maxlength": profiles.LENGTHS["bio"], "rows": 4})
    phone = StringField(_("Phone"), render_kw={"type": "tel", "autocomplete": "tel", "maxlength": 60})
    whatsapp = StringField(_("WhatsApp"), render_kw={"type": "tel", "autocomplete": "tel", "maxlength": 60})
    email = StringField(
        _("E-mail"),
        description=_("Everybody who opens the page can read it."),
        render_kw={"type": "email", "autocomplete": "email", "maxlength": 254},
    )
    website = StringField(
        _("Website"),
        render_kw={"inputmode": "url", "autocomplete": "url", "autocapitalize": "off", "spellcheck": "false"},
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
        _("Address of the page"),
        render_kw={"autocapitalize": "off", "autocorrect": "off", "spellcheck": "false", "maxlength": 25},
    )
    version = HiddenField()

    def __init__(self, region: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.region = region
        self.new_photo: str | None = None
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
        return {name: self[name].data or "" for name in profiles.TYPED}

    @property
    def seen_version(self) -> int:
        """The version that was on the screen when somebody began to type; 0 when it is missing or made up."""
        text = str(self.version.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        for name in profiles.TYPED:
            field = self[name]
            if field.errors:
                continue
            try:
                profiles.clean(name, field.data or "", self.region)
            except DomainError as error:
                add_error(field, gettext(error.message, **error.params))
                valid = False
        return valid

    def take_photo(self, user_id: int) -> None:
        """Store the picture that was sent along, or find the one kept from the try before.

        A picture outlives the errors of other fields: its name travels on, signed for this person.
        """
        self.new_photo = self._kept(user_id)
        if self.photo.data:
            try:
                data = images.make_photo(uploads.read_limited(self.photo.data))
            except images.BadPicture as error:
                self.photo.process_errors.append(gettext(error.message, **error.params))
            else:
                self.new_photo = files.store(data, uploads.folder())
                self.remove_photo.data = False
        elif self.remove_photo.data:
            self.new_photo = None
        self.photo_kept.data = _signer().dumps([user_id, self.new_photo]) if self.new_photo else ""

    def photo_to_store(self, current: str | None) -> str | None:
        """The picture the profile shall have from now on."""
        return self.new_photo or (None if self.remove_photo.data else current)

    def _kept(self, user_id: int) -> str | None:
        try:
            owner_id, name = _signer().loads(self.photo_kept.data or "", max_age=PICTURE_WAITS)
        except BadSignature:
            return None
        return name if owner_id == user_id and files.exists(name, uploads.folder()) else None


def _signer() -> URLSafeTimedSerializer:
    config = current_app.config
    secrets = [*reversed(config["SECRET_KEY_FALLBACKS"]), config["SECRET_KEY"]]  # the newest signs
    return URLSafeTimedSerializer(secrets, salt="profile-photo")
