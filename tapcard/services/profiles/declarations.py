"""Declarations of profiles: permissions, uploads, personal data."""

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from ...db import execute_update
from ...models import FormerSlug, Lead, Profile, ProfileLink
from ...registry import Person, PersonalDataRule, declare_audit_labels, declare_personal_data, declare_uploads
from ..core.anonymization import delete_rows_of


def _delete_profiles(person: Person) -> None:
    profile_ids = select(Profile.id).where(Profile.owner_id == person.id)
    for table in (ProfileLink, FormerSlug):
        execute_update(sa.delete(table).where(table.profile_id.in_(profile_ids)))
    execute_update(sa.delete(Profile).where(Profile.owner_id == person.id))


declare_uploads(Profile.photo, Profile.banner)
declare_personal_data(
    PersonalDataRule(
        "of **visitors**: actions on a profile, daily pseudonym", {"profile_actions": ("detail", "visitor")}
    ),
    PersonalDataRule(
        "published profiles, photo and banner",
        {
            "profiles": (
                "slug",
                "name",
                "headline",
                "company",
                "bio",
                "email",
                "phone",
                "whatsapp",
                "linkedin",
                "instagram",
                "snapchat",
                "x",
                "tiktok",
                "youtube",
                "facebook",
                "github",
                "website",
                "address",
                "photo",
                "banner",
                "hidden_fields",
            ),
            "profile_links": ("title", "url"),
            "former_slugs": ("slug",),
        },
        _delete_profiles,
    ),
    PersonalDataRule(
        "contact details that visitors shared with a card owner (leads)",
        {"leads": ("name", "email", "phone", "note", "consent_text")},
        delete_rows_of(Lead.owner_id),
    ),
)
declare_audit_labels(
    actions={
        "lead.deleted": _("Lead deleted"),
        "profile.changed": _("Profile updated"),
        "profile.created": _("Profile created"),
        "profile.deleted": _("Profile deleted"),
        "profile_link.added": _("Profile link added"),
        "profile_link.changed": _("Profile link updated"),
        "profile_link.removed": _("Profile link removed"),
    },
    objects={
        "leads": _("Lead"),
        "profile_links": _("Profile link"),
        "profiles": _("Profile"),
    },
)
