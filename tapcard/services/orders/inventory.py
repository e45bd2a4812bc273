"""What an order reserves: stock, cards to be activated, a use of its promotion, credit."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select

from ...db import db, execute_update, insert
from ...keys import Keys
from ...models import Availability, Card, CardHold, CardStatus, ClaimPolicy, Order, OrderLine, OrderMove, Product
from ..cart import credit, promotions
from ..cart.promotions import Customer


def reserve_stock(order: Order, expire_due: Callable[[int], int]) -> bool:
    """Reserve the stock of an order's lines, one conditional statement for each product in the order of their ids.

    Where there is not enough, `expire_due` first ends the expired orders with that product id and returns their number,
    so that nothing waits for a worker. Return False when it is still not enough; the caller rolls back.
    """
    wanted: dict[int, list[OrderLine]] = {}
    for line in order.lines:
        if line.product_id is not None:
            wanted.setdefault(line.product_id, []).append(line)
    for product_id, lines in sorted(wanted.items()):
        number = sum(line.quantity for line in lines)
        is_taken = lower_stock(product_id, number)
        if not is_taken and expire_due(product_id):
            is_taken = lower_stock(product_id, number)
        if is_taken is None:
            continue  # nobody counts these
        if not is_taken:
            return False
        for line in lines:
            line.stock_taken = line.quantity
    db.session.flush()  # before the expiry of others reads what is taken
    return True


def reserve_available_stock(order: Order) -> None:
    """Take what is counted of the goods of an oversold order that is given after all; the rest staff have found."""
    for line in sorted(order.lines, key=lambda each: each.product_id or 0):
        if line.product_id is not None and not line.stock_taken:
            stock = db.session.scalar(select(Product.stock).where(Product.id == line.product_id).with_for_update())
            line.stock_taken = min(stock or 0, line.quantity)
            lower = sa.update(Product).where(Product.id == line.product_id, Product.stock >= line.stock_taken)
            execute_update(lower.values(stock=Product.stock - line.stock_taken))
    db.session.flush()


def lower_stock(product_id: int, number: int) -> bool | None:
    """Whether so many pieces were there, and are taken now; None where the product is not counted."""
    is_sold = sa.and_(Product.id == product_id, Product.is_active, Product.availability != Availability.OUT_OF_STOCK)
    taken = db.session.scalar(
        sa.update(Product)
        .where(is_sold, sa.or_(Product.stock.is_(None), Product.stock >= number))
        .values(stock=Product.stock - number)
        .returning(sa.case((Product.stock.is_(None), -1), else_=1))
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        return False
    return None if taken == -1 else True


def hold_cards(order: Order, now: datetime) -> bool:
    """Hold the cards to be activated until the order's time is over; False when somebody else has one of them."""
    for line in order.lines:
        if line.card_token is None:
            continue
        waits = (Card.status == CardStatus.UNCLAIMED, Card.claim_policy == ClaimPolicy.PAY)
        card_id = db.session.scalar(select(Card.id).where(Card.token == line.card_token, *waits))
        if card_id is None:
            return False
        held = CardHold.__table__.c
        fresh = insert(CardHold).values(card_id=card_id, order_line_id=line.id, expires_at=order.expires_at)
        is_free = sa.or_(held.expires_at <= now, held.order_line_id == line.id)
        got = db.session.execute(
            fresh.on_conflict_do_update(
                index_elements=["card_id"],
                set_={"order_line_id": line.id, "expires_at": order.expires_at},
                where=is_free,
            )
            .returning(held.card_id)
            .execution_options(synchronize_session=False)
        )
        if got.scalar_one_or_none() is None:
            return False
    return True


def release(order: Order, keys: Keys) -> None:
    """Return what an order held; called once, by whoever ended it."""
    for line in sorted(order.lines, key=lambda each: each.product_id or 0):
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
    """Whom a use of a promotion is counted for: whoever placed the order signed in, and the address it names."""
    placed = next((event for event in order.events if event.move is OrderMove.PLACE), None)
    return Customer(placed.actor if placed is not None else None, order.email)
