"""Store credit: entries of each person, and a balance that is never negative."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import aliased

from ...db import acquire_lock, db, execute_update, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import CreditAccount, CreditEntry, Order, User
from ..core import audit


class NotEnoughCredit(DomainError):
    """The balance is lower than the amount to spend."""


@dataclass(frozen=True)
class Entry:
    """A credit entry with its owner's email address, the name of its actor and the number of its order."""

    entry: CreditEntry
    email: str
    actor_name: str
    order_number: str


def balance(user_id: int | None) -> int:
    """Return a person's credit in minor units of the shop's currency; 0 for a guest."""
    if user_id is None:
        return 0
    return db.session.scalar(select(CreditAccount.amount).where(CreditAccount.user_id == user_id)) or 0


def amount_spent_on(order: Order) -> int:
    """Return the credit spent on an order at present, in minor units."""
    total = db.session.scalar(select(sa.func.sum(CreditEntry.amount)).where(CreditEntry.order_id == order.id))
    return -int(total or 0)  # PostgreSQL: a Decimal


def entries(user_id: int | None = None, limit: int = 50) -> Sequence[Entry]:
    """Return the latest credit entries, of one person or of all."""
    owner, actor = aliased(User), aliased(User)
    query = (
        select(CreditEntry, owner.email, sa.func.coalesce(actor.first_name, ""), sa.func.coalesce(Order.number, ""))
        .join(owner, owner.id == CreditEntry.user_id)
        .outerjoin(actor, actor.id == CreditEntry.actor_id)
        .outerjoin(Order, Order.id == CreditEntry.order_id)
        .order_by(CreditEntry.id.desc())
        .limit(limit)
    )
    if user_id is not None:
        query = query.where(CreditEntry.user_id == user_id)
    return [Entry(*row) for row in db.session.execute(query)]


def give_if_unchanged(user: User, amount: int, why: str, *, seen: int, actor: User) -> None:
    """Give credit to a person if the balance is still the one that staff saw; otherwise raise `DomainError`."""
    acquire_lock(f"credit of {user.id}")
    if balance(user.id) != seen:
        raise DomainError(_("The balance has just changed. Check it before you add more credit."))
    give(user, amount, why, actor=actor)


def give(user: User, amount: int, why: str, *, actor: User | None = None, order: Order | None = None) -> None:
    """Give a person credit, at least 1 minor unit; raises `DomainError` for less."""
    if amount < 1:
        raise DomainError(_("Enter an amount above zero."), field="amount")
    _add(user.id, amount, why, actor, order)
    audit.record("credit.given", subject=user, actor=actor, amount=amount)


def spend(user_id: int, amount: int, order: Order) -> None:
    """Spend credit on an order by one conditional statement; raises `NotEnoughCredit`."""
    changed = execute_update(
        sa.update(CreditAccount)
        .where(CreditAccount.user_id == user_id, CreditAccount.amount >= amount)
        .values(amount=CreditAccount.amount - amount)
    )
    if changed != 1:
        raise NotEnoughCredit(_("Your credit balance has changed. Check the new total."))
    db.session.add(CreditEntry(user_id=user_id, amount=-amount, why=order.number, order_id=order.id))


def refund(user_id: int, amount: int, order: Order) -> None:
    """Return the credit spent on an order that ended unpaid."""
    _add(user_id, amount, order.number, None, order)


def _add(user_id: int, amount: int, why: str, actor: User | None, order: Order | None) -> None:
    account = CreditAccount.__table__.c
    statement = insert(CreditAccount).values(user_id=user_id, amount=amount)
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["user_id"], set_={"amount": account.amount + amount})
    )
    entry = CreditEntry(user_id=user_id, amount=amount, why=why[:200])
    entry.actor_id, entry.order_id = actor.id if actor else None, order.id if order else None
    db.session.add(entry)
