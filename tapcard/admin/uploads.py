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

WITH_PICTURES = (
    *("backoffice.add_pictures", "backoffice.new_category", "backoffice.category"),
    *("backoffice.new_design", "backoffice.design"),
)
LARGEST_REQUEST = 64 * 1024 * 1024
MOST_AT_ONCE = 10


def draw_product_picture(upload: FileStorage) -> bytes:
    """Draw all of a picture anew."""
    return images.make_product_picture(uploads.read_limited(upload))


def draw_card_picture(upload: FileStorage) -> bytes:
    """Draw a picture anew in the proportion of a card."""
    return images.make_card_picture(uploads.read_limited(upload))


def take(form: Form, name: str, draw: Callable[[FileStorage], bytes], *, is_needed: bool = False) -> list[str]:
    """Store the pictures that were sent for a field and give their names; what is wrong stands beside the field.

    A picture may take a second to work on: the database is let go of first, so rows have to be loaded again.
    """
    field, actor_id, stored = form[name], current_user.id, []
    sent = uploads_in(field)
    if not sent and is_needed:
        add_error(field, _("Choose at least one image."))
    if len(sent) > MOST_AT_ONCE:
        add_error(field, _("Upload %(most)d images or fewer at a time.", most=MOST_AT_ONCE))
    if not sent or field.errors:
        return []
    db.session.rollback()
    for upload in sent:
        try:
            stored.append(files.store(draw(upload), uploads.folder()))
        except images.InvalidImage as error:
            sentence = _(error.message, **error.params)
            add_error(field, f"{upload.filename}: {sentence}" if len(sent) > 1 else sentence)
        finally:
            upload.close()
    pictures.schedule_deletion(stored, actor_id, due_at=utcnow() + pictures.RETENTION)  # in case they are never saved
    db.session.commit()
    return [] if field.errors else stored


def choose_again(form: Form, *names: str) -> None:
    """Say beside each picture that was sent with a form that was refused that it was not kept."""
    for name in names if form.errors else ():
        if uploads_in(form[name]) and not form[name].errors:
            add_error(form[name], _("Choose the image again."))
