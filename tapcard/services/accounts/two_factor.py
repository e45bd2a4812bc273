"""Two-factor log in: an authenticator app's codes, each good once, and recovery codes for when it is lost.

The secret shown while somebody sets up is kept nowhere but in that very page: sealed, for this person, in this browser,
for a while. Another tab, another browser or another person's page cannot put one of theirs in its place.
"""

import hmac
import json
import secrets
from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa

from ... import outbox
from ...db import db, hold, insert
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import RecoveryCode, TwoFactor, User
from ...tokens import ALPHABET, clean_code
from ..core import audit
from . import accounts

STEP_SECONDS = 30
STEPS_OFF = (0, -1, 1)  # clocks differ
OFFER_LIFETIME = timedelta(minutes=15)
RECOVERY_CODES, RECOVERY_LENGTH = 10, 10
PURPOSE = "recovery"


class WrongCode(DomainError):
    """The code is none of the app's present ones, was used before, or is no open recovery code."""

    status = 422
    field = "code"


class OfferExpired(DomainError):
    """The page with the secret was open for too long, or belongs to somebody else."""

    status = 422
    field = "code"


class AlreadyOn(DomainError):
    """Two-factor log in was switched on meanwhile."""


# --- setting up -------------------------------------------------------------------------------------------------------


def new_offer(user: User, browser: str, keys: Keys, now: datetime) -> str:
    """A new secret, sealed for the page of one person in one browser (its stored session id)."""
    ends_at = (now + OFFER_LIFETIME).timestamp()
    return keys.encrypt(json.dumps(["two_factor", user.id, browser, ends_at, pyotp.random_base32()]))


def secret_in(offer: str, user: User, browser: str, keys: Keys, now: datetime) -> str | None:
    """The secret of an offer; None when it is not this person's in this browser, or too old."""
    try:
        purpose, user_id, offered_to, ends_at, secret = json.loads(keys.decrypt(offer) or "")
    except (ValueError, TypeError):
        return None
    is_theirs = (purpose, user_id, offered_to) == ("two_factor", user.id, browser) and now.timestamp() < ends_at
    return str(secret) if is_theirs else None


def address_of(secret: str, user: User, issuer: str) -> str:
    """The `otpauth://` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer.replace(":", " "))


def switch_on(
    user: User, offer: str, code: str, *, browser: str, keys: Keys, now: datetime
) -> tuple[TwoFactor, list[str]]:
    """Put an offered secret into force after its first right code; gives it and the recovery codes.

    Sessions without a second factor end, but for the browser's own. Raises `OfferExpired`, `WrongCode`, `AlreadyOn`.
    """
    secret = secret_in(offer, user, browser, keys, now)
    if secret is None:
        raise OfferExpired(_("This page was open for too long. Scan the new QR code shown here."))
    step = next(iter(_steps(secret, code, now)), None)
    if step is None:
        raise _wrong_code()
    values = {"secret": keys.encrypt(secret), "created_at": now, "confirmed_at": now, "last_step": step}
    fresh = insert(TwoFactor).values(user_id=user.id, **values)
    made = db.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["user_id"], set_=values, where=TwoFactor.confirmed_at.is_(None)
        ).returning(TwoFactor.user_id)
    )
    if made.scalar_one_or_none() is None:
        raise AlreadyOn(_("Two-factor authentication is already on."))
    db.session.expire(user, ["two_factor"])
    accounts.end_other_sessions(user, browser)
    outbox.post("mail.two_factor_on", user_id=user.id)
    audit.record("user.two_factor_on", subject=user, actor=user)
    row = db.session.get_one(TwoFactor, user.id, populate_existing=True)
    return row, _fresh_codes(user, keys)


def switch_off(user: User, code: str, *, keys: Keys, now: datetime) -> None:
    """Do without a second factor from now on; the code may be the app's or a recovery code. Raises `WrongCode`."""
    check(user, code, keys=keys, now=now)
    accounts.forget_second_factor(user)
    outbox.post("mail.two_factor_off", user_id=user.id)
    audit.record("user.two_factor_off", subject=user, actor=user)


def reset(user: User) -> bool:
    """Switch it off for somebody who lost everything, and end their sessions; tells whether it was on."""
    was_on = user.has_two_factor
    accounts.forget_second_factor(user)
    if was_on:
        accounts.end_other_sessions(user, None)
        outbox.post("mail.two_factor_off", user_id=user.id)
        audit.record("user.two_factor_reset", subject=user, origin="command")
    return was_on


# --- logging in with it -----------------------------------------------------------------------------------------------


def check(user: User, typed: str, *, keys: Keys, now: datetime) -> None:
    """Use up a code of the app or a recovery code; raises `WrongCode`, whatever is wrong with it."""
    code = clean_code(typed)
    is_right = (
        _use_app_code(user, code, keys, now) if _is_of_the_app(code) else _use_recovery_code(user, code, keys, now)
    )
    if not is_right:
        raise _wrong_code()


def _is_of_the_app(code: str) -> bool:
    return len(code) == 6 and code.isascii() and code.isdigit()


def _use_app_code(user: User, code: str, keys: Keys, now: datetime) -> bool:
    """Whether a code is right and new: one conditional UPDATE, so that of two at once one is."""
    row = db.session.get(TwoFactor, user.id)
    secret = keys.decrypt(row.secret) if row is not None and row.confirmed_at is not None else None
    if row is None or secret is None:
        return False
    for step in _steps(secret, code, now):
        used = db.session.execute(
            sa.update(TwoFactor)
            .where(
                TwoFactor.user_id == user.id,
                TwoFactor.confirmed_at == row.confirmed_at,
                sa.or_(TwoFactor.last_step.is_(None), TwoFactor.last_step < step),
            )
            .values(last_step=step, secret=keys.encrypt(secret))  # under the newest key from now on
            .execution_options(synchronize_session=False)
        )
        if used.rowcount == 1:  # type: ignore[attr-defined]
            return True
    return False


def _use_recovery_code(user: User, code: str, keys: Keys, now: datetime) -> bool:
    """The same for a recovery code; the person is told by mail."""
    used = db.session.execute(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash.in_(keys.digests(PURPOSE, f"{user.id}:{code}")),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        return False
    outbox.post("mail.recovery_code_used", user_id=user.id)
    audit.record("user.recovery_code_used", subject=user, actor=user)
    return True


def _steps(secret: str, code: str, now: datetime) -> list[int]:
    """The steps of the clock, near the present one, whose code this is."""
    app, present, typed = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS, clean_code(code).encode()
    return [present + off for off in STEPS_OFF if hmac.compare_digest(app.generate_otp(present + off).encode(), typed)]


def _wrong_code() -> WrongCode:
    return WrongCode(_("That code isn't valid. Enter the latest code from your authenticator app."))


# --- recovery codes ---------------------------------------------------------------------------------------------------


def new_codes(user: User, keys: Keys) -> list[str]:
    """Make other recovery codes; the old ones end."""
    audit.record("user.recovery_codes_made", subject=user, actor=user)
    return _fresh_codes(user, keys)


def codes_left(user: User) -> int:
    """How many recovery codes still work."""
    open_ones = sa.select(sa.func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(open_ones) or 0


def are_theirs(user: User, codes: list[str], keys: Keys) -> bool:
    """Whether all of these are recovery codes of this person that still work."""
    digests = {digest for code in codes for digest in keys.digests(PURPOSE, f"{user.id}:{clean_code(code)}")}
    known = sa.select(sa.func.count()).where(
        RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None), RecoveryCode.code_hash.in_(digests)
    )
    return 0 < len(codes) <= RECOVERY_CODES and db.session.scalar(known) == len(codes)


def _fresh_codes(user: User, keys: Keys) -> list[str]:
    hold(f"recovery codes of {user.id}")  # of two sets made at once the later one counts alone
    theirs = sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id)
    db.session.execute(theirs.execution_options(synchronize_session=False))
    codes = ["".join(secrets.choice(ALPHABET) for _place in range(RECOVERY_LENGTH)) for _code in range(RECOVERY_CODES)]
    for code in codes:
        db.session.add(RecoveryCode(user_id=user.id, code_hash=keys.digest(PURPOSE, f"{user.id}:{code}")))
    return [f"{code[:5]}-{code[5:]}" for code in codes]
