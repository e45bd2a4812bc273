"""Fulfilling oversold orders that staff can deliver after all."""

import sqlalchemy as sa

from ...context import RuleContext
from ...db import db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...models import LineGrant, LineKind, Order, OrderLine, Payment, PaymentStatus
from ...models.orders import AFTER_PAID
from ..cards import cards
from ..cart import credit
from ..core import audit
from ..orders import fulfillment, inventory
from ..orders.transitions import IllegalMove
from . import payments


class CannotFulfill(DomainError):
    """The goods that were paid for are not available."""


def fulfill_oversold(order: Order, context: RuleContext) -> None:
    """Fulfill an oversold order because staff found the goods; raises `IllegalMove` or `CannotFulfill`.

    Reserves the stock that is left and the buyer's credit; the refund proposed for its payment is withdrawn.
    """
    is_oversold = sa.and_(Order.id == order.id, Order.is_oversold, Order.status.in_(AFTER_PAID))
    if not execute_update(sa.update(Order).where(is_oversold).values(is_oversold=False, version=Order.version + 1)):
        raise IllegalMove(_("This order is no longer oversold."))
    db.session.refresh(order)
    if any(_has_failed(line) for line in order.lines):
        raise CannotFulfill(_("A card in this order now belongs to someone else. Refund the order."))
    inventory.reserve_available_stock(order)
    missing = order.credit_amount - credit.amount_spent_on(order)
    if missing > 0:
        _spend_missing_credit(order, missing)
    fulfillment.fulfill(order, context.keys, context.now)
    if order.is_oversold:
        raise CannotFulfill(_("A card in this order now belongs to someone else. Refund the order."))
    if payments.captured_amount(order) <= order.total_amount:
        is_captured = (Payment.order_id == order.id, Payment.status == PaymentStatus.SUCCEEDED)
        execute_update(sa.update(Payment).where(*is_captured).values(refund_proposed=False))
    audit.record("order.given_after_all", subject=order, actor=context.actor)


def _has_failed(line: OrderLine) -> bool:
    """Return whether the activation of a card failed: it is never tried again."""
    if line.kind is not LineKind.ACTIVATION or db.session.get(LineGrant, line.id) is None:
        return False
    card = cards.get_by_token(line.card_token or "")
    return card is None or card.order_line_id != line.id


def _spend_missing_credit(order: Order, amount: int) -> None:
    try:
        credit.spend(order.user_id or 0, amount, order)
    except credit.NotEnoughCredit:
        raise CannotFulfill(
            _("The customer has since spent this order's store credit. Add store credit or refund the order.")
        ) from None
