"""Form field for image uploads, which are stored at once and survive a failed validation of other fields."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from flask import current_app, session
from flask_babel import gettext
from flask_login import current_user
from flask_wtf.file import FileField
from wtforms import Form
from wtforms.utils import unset_value

from .. import files, images
from ..clock import utcnow
from ..db import db
from ..errors import TooManyAttempts
from ..services.core import uploads as pictures
from ..tokens import new_secret
from . import uploads
from .sessions import UPLOADER
from .throttling import throttle

STORED_PREFIX, REMOVE_PREFIX = "kept-", "drop-"  # of the form fields that accompany an image field
TOKEN_PURPOSE = "kept-picture"
TOKEN_LIFETIME = timedelta(hours=12)  # shorter than unused uploads are kept
ACCEPTED_TYPES = {"accept": "image/jpeg,image/png,image/webp"}


class PictureField(FileField):
    """An image upload. Once stored, its signed name is resubmitted with the form until the form is accepted."""

    def __init__(self, *args: Any, make: Callable[[bytes], bytes], **kwargs: Any) -> None:
        kwargs["render_kw"] = {**ACCEPTED_TYPES, **kwargs.get("render_kw", {})}
        super().__init__(*args, **kwargs)
        self.make = make
        self.upload: str | None = None  # name of the stored file

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        """Read the submitted file and the name of one that was stored before."""
        super().process(formdata, data, extra_filters)
        if formdata is not None and not formdata.get(REMOVE_PREFIX + self.name):
            self.upload = _verify_token(formdata.get(STORED_PREFIX + self.name))

    def restore(self, name: str | None) -> None:
        """Put an image from this browser's cart into the form."""
        self.upload = name
        if name:
            session.setdefault(UPLOADER, new_secret())

    @property
    def token(self) -> str:
        """Return the signed name of the stored file, for a hidden field."""
        if not self.upload:
            return ""
        return current_app.extensions["keys"].sign(TOKEN_PURPOSE, [session[UPLOADER], self.upload])

    def store(self) -> str | None:
        """Store the submitted image and return its name, or None if there is none or it is invalid."""
        if not self.data:
            return None
        try:
            data = self.make(uploads.read_limited(self.data))
        except images.InvalidImage as error:
            self.process_errors.append(gettext(error.message, **error.params))
            return None
        self.upload = files.store(data, uploads.folder())
        return self.upload


def store_pictures(form: Form) -> bool:
    """Store the images of a submitted form; return True if the database session was reset and rows have to be reloaded.

    Processing an image may take a second, so the transaction is ended first to let others write.
    """
    submitted = [field for field in form if isinstance(field, PictureField) and field.data]
    if not submitted:
        return False
    user_id = current_user.id
    db.session.rollback()
    stored = [field.store() for field in _within_rate_limit(submitted, user_id)]
    if any(stored):
        session.setdefault(UPLOADER, new_secret())
    if user_id is not None:
        pictures.schedule_deletion(
            stored, user_id, due_at=utcnow() + pictures.RETENTION
        )  # unless the form is accepted by then
    db.session.commit()
    return True


def _within_rate_limit(fields: Iterable[PictureField], user_id: int | None) -> Iterable[PictureField]:
    """Yield the fields within the rate limit, and add an error to the others."""
    for field in fields:
        try:
            throttle("cart_picture", account=user_id, address=True)
        except TooManyAttempts as error:
            field.process_errors.append(gettext(error.message, **error.params))
        else:
            yield field


def _verify_token(token: Any) -> str | None:
    """Return the upload that a token of this browser names, or None if the token is invalid."""
    value = current_app.extensions["keys"].unsign(TOKEN_PURPOSE, token, TOKEN_LIFETIME)
    if value is None:
        return None
    owner, name = value
    is_own = owner == session.get(UPLOADER) and files.exists(name, uploads.folder())
    return str(name) if is_own else None
