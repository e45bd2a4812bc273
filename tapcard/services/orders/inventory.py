"""Reservations of an order: reserves and releases stock, held cards, a use of the promotion, and credit.

What a cart may count on before it is ordered is `services.cart.items.Reservations`, which `replacement` fills in.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select

from ...db import db, execute_update, insert
from ...keys import Keys
from ...models import (
    Availability,
    Card,
    CardHold,
    CardStatus,
    ClaimPolicy,
    Order,
    OrderLine,
    OrderMove,
    Product,
    Promotion,
    User,
)
from ..cart import credit, promotions
from ..cart.promotions import Customer


def reserve_stock(order: Order, expire_due: Callable[[int], int]) -> bool:
    """Reserve the stock of an order's lines, one conditional statement for each product in the order of their ids.

    Where there is not enough, `expire_due` first ends the expired orders with that product id and returns their number,
    so that this does not depend on a worker. Return False when it is still not enough; the caller rolls back.
    """
    lines_by_product: dict[int, list[OrderLine]] = {}
    for line in order.lines:
        if line.product_id is not None:
            lines_by_product.setdefault(line.product_id, []).append(line)
    for product_id, lines in sorted(lines_by_product.items()):
        pieces = sum(line.quantity for line in lines)
        is_taken = lower_stock(product_id, pieces)
        if not is_taken and expire_due(product_id):
            is_taken = lower_stock(product_id, pieces)
        if is_taken is None:
            continue  # stock is not tracked
        if not is_taken:
            return False
        for line in lines:
            line.stock_taken = line.quantity
    db.session.flush()  # expiring other orders reads the stock from the database
    return True


def reserve_available_stock(order: Order) -> None:
    """Reserve the stock that is left for an oversold order; staff fulfill the rest from elsewhere."""
    for line in sorted(order.lines, key=lambda row: row.product_id or 0):
        if line.product_id is not None and not line.stock_taken:
            stock = db.session.scalar(select(Product.stock).where(Product.id == line.product_id).with_for_update())
            line.stock_taken = min(stock or 0, line.quantity)
            lower = sa.update(Product).where(Product.id == line.product_id, Product.stock >= line.stock_taken)
            execute_update(lower.values(stock=Product.stock - line.stock_taken))
    db.session.flush()


def lower_stock(product_id: int, pieces: int) -> bool | None:
    """Lower the stock of a product; return False when there is too little, None when its stock is not counted."""
    is_sold = sa.and_(Product.id == product_id, Product.is_active, Product.availability != Availability.OUT_OF_STOCK)
    result = db.session.scalar(
        sa.update(Product)
        .where(is_sold, sa.or_(Product.stock.is_(None), Product.stock >= pieces))
        .values(stock=Product.stock - pieces)
        .returning(sa.case((Product.stock.is_(None), -1), else_=1))
        .execution_options(synchronize_session=False)
    )
    if result is None:
        return False
    return None if result == -1 else True


def hold_cards(order: Order, now: datetime) -> bool:
    """Hold the cards to be activated until the order expires; return False when one is not available."""
    for line in order.lines:
        if line.card_token is None:
            continue
        is_waiting = (Card.status == CardStatus.UNCLAIMED, Card.claim_policy == ClaimPolicy.PAY)
        card_id = db.session.scalar(select(Card.id).where(Card.token == line.card_token, *is_waiting))
        if card_id is None:
            return False
        columns = CardHold.__table__.c
        statement = insert(CardHold).values(card_id=card_id, order_line_id=line.id, expires_at=order.expires_at)
        is_free = sa.or_(columns.expires_at <= now, columns.order_line_id == line.id)
        result = db.session.execute(
            statement.on_conflict_do_update(
                index_elements=["card_id"],
                set_={"order_line_id": line.id, "expires_at": order.expires_at},
                where=is_free,
            )
            .returning(columns.card_id)
            .execution_options(synchronize_session=False)
        )
        if result.scalar_one_or_none() is None:
            return False
    return True


def reserve_discounts(order: Order, promotion: Promotion | None, customer: Customer, keys: Keys, at: datetime) -> None:
    """Count a use of the promotion and spend the credit of an order.

    Raises a `PromotionRefused`, as of the time `at`, or `NotEnoughCredit`.
    """
    if promotion is not None:
        order.promotion_customers = promotions.count_use(promotion, customer, keys, at)
    if order.credit_amount and order.user_id is not None:
        credit.spend(order.user_id, order.credit_amount, order)


def is_card_held(card: Card, user: User | None, now: datetime) -> bool:
    """Return whether another buyer is paying for the activation of a card."""
    holds = select(CardHold.card_id).join(OrderLine, OrderLine.id == CardHold.order_line_id).join(OrderLine.order)
    holds = holds.where(CardHold.card_id == card.id, CardHold.expires_at > now)
    if user is not None:
        holds = holds.where(sa.or_(Order.user_id.is_(None), Order.user_id != user.id))
    return db.session.scalar(holds) is not None


def release(order: Order, keys: Keys) -> None:
    """Release the stock, cards, promotion use and credit of an order. Call it once, when the order ends."""
    for line in sorted(order.lines, key=lambda row: row.product_id or 0):
        if line.stock_taken:
            db.session.execute(
                sa.update(Product)
                .where(Product.id == line.product_id, Product.stock.is_not(None))
                .values(stock=Product.stock + line.stock_taken)
                .execution_options(synchronize_session=False)
            )
            line.stock_taken = 0
    ids = [line.id for line in order.lines]
    db.session.execute(
        sa.delete(CardHold).where(CardHold.order_line_id.in_(ids)).execution_options(synchronize_session=False)
    )
    if order.promotion_id is not None:
        counted = order.promotion_customers or promotions.customer_digests(promotion_customer(order), keys)
        promotions.uncount_use(order.promotion_id, counted)
        order.promotion_customers = []
    if order.credit_amount and order.user_id is not None:
        credit.refund(order.user_id, order.credit_amount, order)


def promotion_customer(order: Order) -> Customer:
    """Return the customer whose promotion use is counted: the account and the email address of the order."""
    placed = next((event for event in order.events if event.move is OrderMove.PLACE), None)
    return Customer(placed.actor if placed is not None else None, order.email)
