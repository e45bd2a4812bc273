"""Staff roles and their permissions.

Each subject declares its permissions, and which roles have them, in its `declarations.py` (`declare_permissions`).
"""

from datetime import datetime

from sqlalchemy import select

from ... import email_addresses, outbox, registry
from ...clock import utcnow
from ...db import db, insert
from ...models import Role, User
from ..core import audit
from . import credentials, email_links, registration, sessions

FIXED_ROLES = ("owner", "staff", "teacher", "assistant")


def create_owner(
    email: str, first_name: str, last_name: str, password: str | None = None, now: datetime | None = None
) -> User:
    """Make a person an owner of the shop; without a password they are emailed a link to set one.

    End all their sessions, as every change of rights does. An address that was never verified may have been registered
    by a stranger, so its password and second factor are removed as well. Hash the password before the transaction, see
    `credentials`. Raise `InvalidEmail`, `WeakPassword` or `EmailTaken`.
    """
    email, now = email_addresses.normalize(email), now or utcnow()
    if password is not None:
        credentials.validate_password(password, email)
    password_hash = credentials.hash_password(password) if password is not None else None
    seed_roles()
    user = registration.get_or_create_account(email, first_name, last_name, now)
    owner = db.session.scalars(select(Role).where(Role.name == "owner")).one()
    if owner not in user.roles:
        user.roles.append(owner)
    sessions.end_other_sessions(user, None)
    email_links.revoke_links(user, now)
    if not user.is_verified:
        credentials.revoke_all_access(user, now)
    if password_hash is not None:
        user.password_hash, user.password_set_at = password_hash, now
        user.verified_at = user.verified_at or now
    elif user.password_hash is None:
        outbox.post("mail.set_password", email=email)
    audit.record("user.owner_made", subject=user)
    return user


def fixed_roles() -> dict[str, tuple[str, ...]]:
    """Return the permissions of each fixed role, from what the subjects declare; the owner has every permission."""
    declared = registry.permissions.items()
    roles = {role: tuple(name for name, granted in declared if role in granted) for role in FIXED_ROLES}
    return {**roles, "owner": ("*",)}


def seed_roles() -> None:
    """Create the fixed roles or update their permissions; running it again changes nothing."""
    for name, permissions in fixed_roles().items():
        values = {"permissions": list(permissions), "is_fixed": True}
        statement = insert(Role).values(name=name, **values)
        db.session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
