"""Declarations of pages, the newsletter and the contact form: permissions, uploads, personal data."""

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from ...db import execute_update
from ...models import Enquiry, Subscriber
from ...registry import (
    Person,
    PersonalDataRule,
    declare_audit_labels,
    declare_other_columns,
    declare_permissions,
    declare_personal_data,
)


def _delete_messages_and_subscription(person: Person) -> None:
    execute_update(sa.delete(Subscriber).where(Subscriber.email.in_(sorted(person.emails))))
    is_sender = sa.or_(Enquiry.user_id == person.id, Enquiry.email.in_(sorted(person.emails)))
    execute_update(sa.delete(Enquiry).where(is_sender))


declare_permissions("pages.edit", "enquiries.answer", "newsletter.view")
declare_personal_data(
    PersonalDataRule(
        "newsletter and messages to the shop",
        {"subscribers": ("email", "consent_text"), "enquiries": ("name", "email", "order_number", "message")},
        _delete_messages_and_subscription,
    ),
)
declare_other_columns({"shop_pages": ("slug", "title", "body", "description")})
declare_audit_labels(
    actions={
        "enquiry.answered": _("Message marked as answered"),
        "enquiry.reopened": _("Message reopened"),
        "page.changed": _("Page updated"),
        "page.made": _("Page created"),
    },
    objects={
        "enquiries": _("Message"),
        "shop_pages": _("Page"),
    },
)
