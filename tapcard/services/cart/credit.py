"""Credit: what a person may spend in the shop, kept as entries and one sum that never falls below zero."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import aliased

from ...db import acquire_lock, db, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import CreditAccount, CreditEntry, Order, User
from ..core import audit


class NotEnoughCredit(DomainError):
    """There is less credit than was to be spent."""


@dataclass(frozen=True)
class Entry:
    """One entry, with whose it is, who gave it and for which order."""

    entry: CreditEntry
    email: str
    actor_name: str
    order_number: str


def balance(user_id: int | None) -> int:
    """What somebody may spend, in minor units of the shop's currency."""
    if user_id is None:
        return 0
    return db.session.scalar(select(CreditAccount.amount).where(CreditAccount.user_id == user_id)) or 0


def amount_spent_on(order: Order) -> int:
    """What of an order is paid by credit at present."""
    total = db.session.scalar(select(sa.func.sum(CreditEntry.amount)).where(CreditEntry.order_id == order.id))
    return -int(total or 0)  # PostgreSQL: a Decimal


def entries(user_id: int | None = None, most: int = 50) -> Sequence[Entry]:
    """What was given and spent, of one person or of all, the latest first."""
    owner, actor = aliased(User), aliased(User)
    wanted = (
        select(CreditEntry, owner.email, sa.func.coalesce(actor.first_name, ""), sa.func.coalesce(Order.number, ""))
        .join(owner, owner.id == CreditEntry.user_id)
        .outerjoin(actor, actor.id == CreditEntry.actor_id)
        .outerjoin(Order, Order.id == CreditEntry.order_id)
        .order_by(CreditEntry.id.desc())
        .limit(most)
    )
    if user_id is not None:
        wanted = wanted.where(CreditEntry.user_id == user_id)
    return [Entry(*row) for row in db.session.execute(wanted)]


def give_if_unchanged(user: User, amount: int, why: str, *, seen: int, actor: User) -> None:
    """Give credit to somebody whose balance was looked at; raises `DomainError` when it has changed since."""
    acquire_lock(f"credit of {user.id}")
    if balance(user.id) != seen:
        raise DomainError(_("The balance has just changed. Check it before you add more credit."))
    give(user, amount, why, actor=actor)


def give(user: User, amount: int, why: str, *, actor: User | None = None, order: Order | None = None) -> None:
    """Give somebody credit, with the reason; an amount from 1."""
    if amount < 1:
        raise DomainError(_("Enter an amount above zero."), field="amount")
    _add(user.id, amount, why, actor, order)
    audit.record("credit.given", subject=user, actor=actor, amount=amount)


def spend(user_id: int, amount: int, order: Order) -> None:
    """Take credit for an order by one conditional statement; raises `NotEnoughCredit`."""
    spent = db.session.execute(
        sa.update(CreditAccount)
        .where(CreditAccount.user_id == user_id, CreditAccount.amount >= amount)
        .values(amount=CreditAccount.amount - amount)
        .execution_options(synchronize_session=False)
    )
    if spent.rowcount != 1:  # type: ignore[attr-defined]
        raise NotEnoughCredit(_("Your credit balance has changed. Check the new total."))
    db.session.add(CreditEntry(user_id=user_id, amount=-amount, why=order.number, order_id=order.id))


def refund(user_id: int, amount: int, order: Order) -> None:
    """Return what was spent on an order that came to nothing."""
    _add(user_id, amount, order.number, None, order)


def _add(user_id: int, amount: int, why: str, actor: User | None, order: Order | None) -> None:
    account = CreditAccount.__table__.c
    fresh = insert(CreditAccount).values(user_id=user_id, amount=amount)
    db.session.execute(
        fresh.on_conflict_do_update(index_elements=["user_id"], set_={"amount": account.amount + amount})
    )
    entry = CreditEntry(user_id=user_id, amount=amount, why=why[:200])
    entry.actor_id, entry.order_id = actor.id if actor else None, order.id if order else None
    db.session.add(entry)
