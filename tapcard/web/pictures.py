"""Pictures sent along with a form: drawn anew, stored at once, and kept while other fields are put right."""

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

KEPT, LEFT_OUT = "kept-", "drop-"  # before the field's name: what travels along with it
TOKEN_PURPOSE = "kept-picture"
TOKEN_LIFETIME = timedelta(hours=12)  # shorter than uploads that nothing shows are kept
TAKEN = {"accept": "image/jpeg,image/png,image/webp"}


class PictureField(FileField):
    """A picture to upload. Once stored its name travels on, signed for this browser, until the form is accepted."""

    def __init__(self, *args: Any, make: Callable[[bytes], bytes], **kwargs: Any) -> None:
        kwargs["render_kw"] = {**TAKEN, **kwargs.get("render_kw", {})}
        super().__init__(*args, **kwargs)
        self.make = make
        self.upload: str | None = None  # the name under which the picture is stored

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        """Read what was sent, and what an earlier try left."""
        super().process(formdata, data, extra_filters)
        if formdata is not None and not formdata.get(LEFT_OUT + self.name):
            self.upload = _unsigned(formdata.get(KEPT + self.name))

    def keep(self, name: str | None) -> None:
        """Let a picture that this browser's cart has stand in the form."""
        self.upload = name
        if name:
            session.setdefault(UPLOADER, new_secret())

    @property
    def token(self) -> str:
        """What travels on with the form."""
        if not self.upload:
            return ""
        return current_app.extensions["keys"].sign(TOKEN_PURPOSE, [session[UPLOADER], self.upload])

    def draw(self) -> str | None:
        """Store what was sent; gives the name of the upload, None when there is none or it is no good."""
        if not self.data:
            return None
        try:
            data = self.make(uploads.read_limited(self.data))
        except images.BadPicture as error:
            self.process_errors.append(gettext(error.message, **error.params))
            return None
        self.upload = files.store(data, uploads.folder())
        return self.upload


def take(form: Form) -> bool:
    """Take in the pictures of a form that was sent; true if rows have to be loaded again.

    A picture may take a second to work on: the database is let go of first, or nobody else could write meanwhile.
    """
    sent = [field for field in form if isinstance(field, PictureField) and field.data]
    if not sent:
        return False
    user_id = current_user.id
    db.session.rollback()
    stored = [field.draw() for field in _bearable(sent, user_id)]
    if any(stored):
        session.setdefault(UPLOADER, new_secret())
    if user_id is not None:
        pictures.leave(stored, user_id, due_at=utcnow() + pictures.KEPT)  # in case the form is never accepted
    db.session.commit()
    return True


def _bearable(fields: Iterable[PictureField], user_id: int | None) -> Iterable[PictureField]:
    """Count the pictures, and leave aside those that are too many."""
    for field in fields:
        try:
            throttle("cart_picture", account=user_id, address=True)
        except TooManyAttempts as error:
            field.process_errors.append(gettext(error.message, **error.params))
        else:
            yield field


def _unsigned(token: Any) -> str | None:
    """The upload that a token of this browser names; None for anybody else's, and for what is made up."""
    value = current_app.extensions["keys"].unsign(TOKEN_PURPOSE, token, TOKEN_LIFETIME)
    if value is None:
        return None
    owner, name = value
    is_own = owner == session.get(UPLOADER) and files.exists(name, uploads.folder())
    return str(name) if is_own else None
