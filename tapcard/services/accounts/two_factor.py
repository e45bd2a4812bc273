"""Two-factor authentication: one-time codes of an authenticator app (TOTP), and recovery codes for when it is lost.

During setup, the secret is stored only in the page, encrypted in a setup token that is valid for the user
in this browser for a short time. Another tab, browser or user's page cannot substitute its own secret.
"""

import hmac
import json
import secrets
from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa

from ... import outbox
from ...db import acquire_lock, db, execute_update, insert
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import RecoveryCode, TwoFactor, User
from ...tokens import ALPHABET, normalize_code
from ..core import audit
from . import sessions

STEP_SECONDS = 30
ACCEPTED_STEP_OFFSETS = (0, -1, 1)  # clocks differ
SETUP_LIFETIME = timedelta(minutes=15)
RECOVERY_CODE_COUNT, RECOVERY_CODE_LENGTH = 10, 10
PURPOSE = "recovery"


class WrongCode(DomainError):
    """The code is not a current code of the app or an unused recovery code, or was used before."""

    status = 422
    field = "code"


class SetupExpired(DomainError):
    """The setup token is too old, or belongs to another user or browser."""

    status = 422
    field = "code"


class AlreadyEnabled(DomainError):
    """Two-factor authentication was enabled meanwhile."""


# --- setup ------------------------------------------------------------------------------------------------------------


def create_setup_token(user: User, browser: str, keys: Keys, now: datetime) -> str:
    """Return a setup token with a new secret for a user in one browser (`browser` is its session id hash)."""
    ends_at = (now + SETUP_LIFETIME).timestamp()
    return keys.encrypt(json.dumps(["two_factor", user.id, browser, ends_at, pyotp.random_base32()]))


def read_setup_token(token: str, user: User, browser: str, keys: Keys, now: datetime) -> str | None:
    """Return the secret in a setup token, or None if it is another user's or browser's, or too old."""
    try:
        purpose, user_id, token_browser, ends_at, secret = json.loads(keys.decrypt(token) or "")
    except (ValueError, TypeError):
        return None
    is_valid = (purpose, user_id, token_browser) == ("two_factor", user.id, browser) and now.timestamp() < ends_at
    return str(secret) if is_valid else None


def provisioning_uri(secret: str, user: User, issuer: str) -> str:
    """Return the `otpauth://` URI that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer.replace(":", " "))


def enable(
    user: User, token: str, code: str, *, browser: str, keys: Keys, now: datetime
) -> tuple[TwoFactor, list[str]]:
    """Enable two-factor authentication with the secret of a setup token; return the row and the recovery codes.

    End the user's sessions in other browsers, which rest on the password alone. Raise `SetupExpired`, `WrongCode` or
    `AlreadyEnabled`.
    """
    secret = read_setup_token(token, user, browser, keys, now)
    if secret is None:
        raise SetupExpired(_("This page was open for too long. Scan the new QR code shown here."))
    step = next(iter(_matching_steps(secret, code, now)), None)
    if step is None:
        raise _wrong_code()
    values = {"secret": keys.encrypt(secret), "created_at": now, "confirmed_at": now, "last_step": step}
    statement = insert(TwoFactor).values(user_id=user.id, **values)
    enabled_id = db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id"], set_=values, where=TwoFactor.confirmed_at.is_(None)
        ).returning(TwoFactor.user_id)
    )
    if enabled_id.scalar_one_or_none() is None:
        raise AlreadyEnabled(_("Two-factor authentication is already on."))
    db.session.expire(user, ["two_factor"])
    sessions.end_other_sessions(user, browser)
    outbox.post("mail.two_factor_on", user_id=user.id)
    audit.record("user.two_factor_on", subject=user, actor=user)
    row = db.session.get_one(TwoFactor, user.id, populate_existing=True)
    return row, _create_recovery_codes(user, keys)


def disable(user: User, code: str, *, keys: Keys, now: datetime) -> None:
    """Disable two-factor authentication, given a code of the app or a recovery code; raise `WrongCode`."""
    verify_code(user, code, keys=keys, now=now)
    delete_two_factor(user)
    outbox.post("mail.two_factor_off", user_id=user.id)
    audit.record("user.two_factor_off", subject=user, actor=user)


def reset(user: User) -> bool:
    """Disable two-factor authentication for a user who lost app and codes; return whether it was enabled.

    End the user's sessions.
    """
    was_enabled = user.has_two_factor
    delete_two_factor(user)
    if was_enabled:
        sessions.end_other_sessions(user, None)
        outbox.post("mail.two_factor_off", user_id=user.id)
        audit.record("user.two_factor_reset", subject=user, origin="command")
    return was_enabled


# --- verification -----------------------------------------------------------------------------------------------------


def verify_code(user: User, text: str, *, keys: Keys, now: datetime) -> None:
    """Consume a code of the app or a recovery code; raise the same `WrongCode` for every reason."""
    code = normalize_code(text)
    is_correct = (
        _use_app_code(user, code, keys, now) if _is_app_code(code) else _use_recovery_code(user, code, keys, now)
    )
    if not is_correct:
        raise _wrong_code()


def _is_app_code(code: str) -> bool:
    return len(code) == 6 and code.isascii() and code.isdigit()


def _use_app_code(user: User, code: str, keys: Keys, now: datetime) -> bool:
    """Return whether a code is correct and unused, and consume it by one conditional UPDATE."""
    row = db.session.get(TwoFactor, user.id)
    secret = keys.decrypt(row.secret) if row is not None and row.confirmed_at is not None else None
    if row is None or secret is None:
        return False
    for step in _matching_steps(secret, code, now):
        used_count = execute_update(
            sa.update(TwoFactor)
            .where(
                TwoFactor.user_id == user.id,
                TwoFactor.confirmed_at == row.confirmed_at,
                sa.or_(TwoFactor.last_step.is_(None), TwoFactor.last_step < step),
            )
            .values(last_step=step, secret=keys.encrypt(secret))  # under the newest key from now on
        )
        if used_count == 1:
            return True
    return False


def _use_recovery_code(user: User, code: str, keys: Keys, now: datetime) -> bool:
    """Return whether a recovery code is correct and unused, consume it, and notify the user by email."""
    used_count = execute_update(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash.in_(keys.digests(PURPOSE, f"{user.id}:{code}")),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
    )
    if used_count != 1:
        return False
    outbox.post("mail.recovery_code_used", user_id=user.id)
    audit.record("user.recovery_code_used", subject=user, actor=user)
    return True


def _matching_steps(secret: str, code: str, now: datetime) -> list[int]:
    """Return the time steps near the current one whose code this is."""
    totp, current_step, entered = (
        pyotp.TOTP(secret),
        int(now.timestamp()) // STEP_SECONDS,
        normalize_code(code).encode(),
    )
    steps = [current_step + offset for offset in ACCEPTED_STEP_OFFSETS]
    return [step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), entered)]


def _wrong_code() -> WrongCode:
    return WrongCode(_("That code isn't valid. Enter the latest code from your authenticator app."))


# --- recovery codes ---------------------------------------------------------------------------------------------------


def replace_recovery_codes(user: User, keys: Keys) -> list[str]:
    """Replace a user's recovery codes and return the new ones."""
    audit.record("user.recovery_codes_made", subject=user, actor=user)
    return _create_recovery_codes(user, keys)


def count_recovery_codes(user: User) -> int:
    """Return how many recovery codes are unused."""
    query = sa.select(sa.func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(query) or 0


def are_recovery_codes_of(user: User, codes: list[str], keys: Keys) -> bool:
    """Return whether all of these are unused recovery codes of a user."""
    digests = {digest for code in codes for digest in keys.digests(PURPOSE, f"{user.id}:{normalize_code(code)}")}
    matching = sa.select(sa.func.count()).where(
        RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None), RecoveryCode.code_hash.in_(digests)
    )
    return 0 < len(codes) <= RECOVERY_CODE_COUNT and db.session.scalar(matching) == len(codes)


def _create_recovery_codes(user: User, keys: Keys) -> list[str]:
    acquire_lock(f"recovery codes of {user.id}")  # of two sets created concurrently only the later one remains
    execute_update(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [_random_code() for _number in range(RECOVERY_CODE_COUNT)]
    for code in codes:
        db.session.add(RecoveryCode(user_id=user.id, code_hash=keys.digest(PURPOSE, f"{user.id}:{code}")))
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _random_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _place in range(RECOVERY_CODE_LENGTH))


def delete_two_factor(user: User) -> None:
    """Delete a user's authenticator secret and recovery codes, without an email or audit entry."""
    for model in (TwoFactor, RecoveryCode):
        execute_update(sa.delete(model).where(model.user_id == user.id))
    db.session.expire(user, ["two_factor"])
