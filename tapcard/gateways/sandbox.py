"""Test gateway: payments succeed or fail by buttons on a page, without an account at a payment provider.

Its state is stored in a separate table over a separate connection, so that the shop has to fetch it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from ..clock import utcnow
from ..db import db, insert, separate_transaction, transactions
from ..models import SandboxCharge
from ..money import Money
from ..tokens import new_secret
from .base import Charge, Evidence, GatewayError, Outcome, Started, require_no_transaction

DELAY = timedelta(seconds=20)  # of the action `delay`
OPEN, PAID, DECLINED, CLOSED, SECURING, SILENT = "open", "paid", "declined", "closed", "securing", "silent"
OUTCOMES = {PAID: Outcome.PAID, DECLINED: Outcome.FAILED, CLOSED: Outcome.CANCELED}
PAYABLE = (OPEN, SECURING, SILENT)


class SandboxGateway:
    """Gateway whose payments are decided by buttons; not allowed in production."""

    code = "sandbox"
    is_online = True

    def __init__(self, page_path: Callable[[str], str]) -> None:
        self.page_path = page_path  # returns the path of the payment page by public id

    def supports_currency(self, currency: str) -> bool:
        """Return True for every currency."""
        return True

    def start(self, charge: Charge) -> Started:
        """Create the charge once and return its payment page."""
        require_no_transaction()
        with separate_transaction() as connection:
            statement = insert(SandboxCharge).values(
                reference=charge.key,
                public_id=new_secret(),
                amount=charge.amount.amount,
                currency=charge.amount.currency,
                description=charge.description,
                return_url=charge.return_url,
                state=OPEN,
                created_at=utcnow(),
            )
            connection.execute(statement.on_conflict_do_nothing(index_elements=["reference"]))
            row = connection.execute(sa.select(SandboxCharge.public_id).where(SandboxCharge.reference == charge.key))
            public_id = row.scalar_one()
        return Started(reference=charge.key, url=self.page_path(public_id))

    def fetch(self, reference: str) -> Evidence:
        """Return the state set by a button, or paid after a delay; raises `GatewayError` for an unknown reference."""
        require_no_transaction()
        charge = read(SandboxCharge.reference == reference)
        if charge is None:
            raise GatewayError("the sandbox has no such payment")
        is_paid = charge.state == PAID or (charge.pays_at is not None and charge.pays_at <= utcnow())
        outcome = Outcome.PAID if is_paid else OUTCOMES.get(charge.state, Outcome.PENDING)
        return Evidence(outcome, reference, Money(charge.amount, charge.currency), {"state": charge.state})

    def close(self, reference: str) -> None:
        """Close the charge if it is still open."""
        require_no_transaction()
        change(SandboxCharge.reference == reference, CLOSED)


def read(condition: sa.ColumnElement[bool]) -> Any:
    """Return a charge, read outside the shop's transaction, or None if there is none."""
    with transactions(writing=False), db.engine.connect() as connection:
        return connection.execute(sa.select(SandboxCharge.__table__).where(condition)).one_or_none()


def change(condition: sa.ColumnElement[bool], state: str, *, delayed: bool = False) -> bool:
    """Set the state of a charge that is still open, at once or delayed; return False if it has ended."""
    values = {"pays_at": utcnow() + DELAY} if delayed else {"state": state}
    with separate_transaction() as connection:
        is_open = sa.and_(condition, SandboxCharge.state.in_(PAYABLE))
        return connection.execute(sa.update(SandboxCharge).where(is_open).values(**values)).rowcount == 1
