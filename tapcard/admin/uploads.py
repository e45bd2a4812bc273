"""Picture uploads by staff, processed and stored outside of transactions."""

from collections.abc import Callable

from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from .. import files, images
from ..clock import utcnow
from ..db import db
from ..services.core import uploads as pictures
from ..web import uploads
from ..web.fields import uploads_in
from ..web.forms import Form, add_error

UPLOAD_ENDPOINTS = (
    *("backoffice.add_pictures", "backoffice.new_category", "backoffice.category"),
    *("backoffice.new_design", "backoffice.design"),
)
MAX_REQUEST_SIZE = 64 * 1024 * 1024  # bytes
MAX_UPLOADS = 10


def convert_product_picture(upload: FileStorage) -> bytes:
    """Return an uploaded picture, re-encoded; raises `images.InvalidImage`."""
    return images.make_product_picture(uploads.read_limited(upload))


def convert_card_picture(upload: FileStorage) -> bytes:
    """Return an uploaded picture, re-encoded and cropped to a card; raises `images.InvalidImage`."""
    return images.make_card_picture(uploads.read_limited(upload))


def store_uploads(
    form: Form, name: str, convert: Callable[[FileStorage], bytes], *, is_required: bool = False
) -> list[str]:
    """Store the pictures uploaded in a field and return their names; on errors, add them to the field.

    Processing a picture may take a second, so the transaction is rolled back first: callers must load rows again.
    """
    field, actor_id, stored = form[name], current_user.id, []
    uploaded = uploads_in(field)
    if not uploaded and is_required:
        add_error(field, _("Choose at least one image."))
    if len(uploaded) > MAX_UPLOADS:
        add_error(field, _("Upload %(most)d images or fewer at a time.", most=MAX_UPLOADS))
    if not uploaded or field.errors:
        return []
    db.session.rollback()
    for upload in uploaded:
        try:
            stored.append(files.store(convert(upload), uploads.folder()))
        except images.InvalidImage as error:
            message = _(error.message, **error.params)
            add_error(field, f"{upload.filename}: {message}" if len(uploaded) > 1 else message)
        finally:
            upload.close()
    pictures.schedule_deletion(stored, actor_id, due_at=utcnow() + pictures.RETENTION)  # in case they are never saved
    db.session.commit()
    return [] if field.errors else stored


def require_reselection(form: Form, *names: str) -> None:
    """Add an error to each picture field of an invalid form, because browsers don't submit a chosen file again."""
    for name in names if form.errors else ():
        if uploads_in(form[name]) and not form[name].errors:
            add_error(form[name], _("Choose the image again."))
