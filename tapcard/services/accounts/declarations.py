"""Declarations of accounts: permissions, uploads, personal data."""

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from ...db import execute_update
from ...models import Address, LinkToken, RecoveryCode, TwoFactor, User, WebSession, user_roles
from ...registry import (
    Person,
    PersonalDataRule,
    declare_audit_labels,
    declare_other_columns,
    declare_permissions,
    declare_personal_data,
)
from ..core.anonymization import delete_rows_of, erased_email


def _blank_user(person: Person) -> None:
    identity = {"title": None, "first_name": "", "last_name": "", "born_on": None, "password_hash": None}
    dates = {"password_set_at": None, "verified_at": None, "seen_at": None, "weekly_mail_on": None}
    email_values = {"email": erased_email(person.id), "wants_lead_mail": False, "wants_weekly_mail": False}
    execute_update(sa.update(User).where(User.id == person.id).values(**identity, **dates, **email_values))
    execute_update(sa.delete(user_roles).where(user_roles.c.user_id == person.id))


declare_permissions("classes.teach", roles=("teacher",))
declare_permissions("classes.check_in", roles=("teacher", "assistant"))
declare_personal_data(
    PersonalDataRule(
        "name, email, title, date of birth, password hash, email preferences",
        {"users": ("email", "title", "first_name", "last_name", "born_on", "password_hash", "weekly_mail_on")},
        _blank_user,
    ),
    PersonalDataRule(
        "delivery and billing addresses",
        {"addresses": ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")},
        delete_rows_of(Address.user_id),
    ),
    PersonalDataRule(
        "two-factor authentication: encrypted secret, hashes of recovery codes",
        {"two_factor": ("secret",), "recovery_codes": ("code_hash",)},
        delete_rows_of(TwoFactor.user_id, RecoveryCode.user_id),
    ),
    PersonalDataRule(
        "emailed links (hash only)", {"link_tokens": ("email", "token_hash")}, delete_rows_of(LinkToken.user_id)
    ),
    PersonalDataRule(
        "device, last seen", {"web_sessions": ("device", "data", "sid_hash")}, delete_rows_of(WebSession.user_id)
    ),
)
declare_other_columns({"roles": ("name", "permissions")})
declare_audit_labels(
    actions={
        "user.closed": _("Account closed by user"),
        "user.email_change_asked": _("Email change requested"),
        "user.email_change_undone": _("Email change undone"),
        "user.email_changed": _("Email changed"),
        "user.erased": _("Account erased"),
        "user.made": _("Account created"),
        "user.owner_made": _("Owner account created"),
        "user.password_changed": _("Password changed"),
        "user.password_set": _("Password set"),
        "user.recovery_code_used": _("Recovery code used"),
        "user.recovery_codes_made": _("Recovery codes generated"),
        "user.reopened": _("Account restored by user"),
        "user.session_ended": _("Device logged out"),
        "user.signed_up": _("Signed up"),
        "user.two_factor_off": _("Two-factor authentication turned off"),
        "user.two_factor_on": _("Two-factor authentication turned on"),
        "user.two_factor_reset": _("Two-factor authentication reset"),
        "user.verified": _("Email confirmed"),
    },
    objects={
        "users": _("Account"),
    },
)
