"""Declarations of orders: permissions, uploads, personal data."""

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from ...db import db, execute_update
from ...models import Design, Order, OrderEvent, OrderLine, Payment
from ...registry import (
    Person,
    PersonalDataRule,
    declare_audit_labels,
    declare_other_columns,
    declare_permissions,
    declare_personal_data,
    declare_uploads,
)
from ..core.anonymization import erased_email


def _blank_orders(person: Person) -> None:
    """Blank a person's orders except what accounting needs: number, dates, goods, amounts, tax and country."""
    is_own = Order.id.in_(sorted(person.order_ids))
    for order_id, address in db.session.execute(select(Order.id, Order.address).where(is_own)).all():
        country = {name: address[name] for name in ("country",) if address.get(name)}
        execute_update(sa.update(Order).where(Order.id == order_id).values(address=country))
    identity = {"email": erased_email(person.id), "first_name": "", "last_name": "", "phone": None}
    texts = {"note": "", "delivery_location": "", "tracking_number": "", "promotion_customers": []}
    execute_update(sa.update(Order).where(is_own).values(**identity, **texts))
    order_ids = select(Order.id).where(is_own)
    execute_update(sa.update(OrderLine).where(OrderLine.order_id.in_(order_ids)).values(options=[], pictures=[]))
    artwork = select(OrderLine.design_id).where(OrderLine.order_id.in_(order_ids))
    is_unowned = (Design.id.in_(artwork), Design.owner_id.is_(None), ~Design.is_public)
    execute_update(
        sa.update(Design).where(*is_unowned).values(owner_id=person.id)
    )  # so that it is blanked with their other designs
    own_artwork = OrderLine.design_id.in_(select(Design.id).where(Design.owner_id == person.id, ~Design.is_public))
    execute_update(
        sa.update(OrderLine).where(OrderLine.order_id.in_(order_ids), own_artwork).values(picture=None, design_name="")
    )
    execute_update(sa.update(OrderEvent).where(OrderEvent.order_id.in_(order_ids)).values(why=""))
    execute_update(sa.update(Payment).where(Payment.order_id.in_(order_ids)).values(evidence={}, pay_url=""))


declare_permissions("orders.view", "orders.edit")
declare_uploads(OrderLine.picture, lists=(OrderLine.pictures,))
declare_personal_data(
    PersonalDataRule(
        "orders and their payments",
        {
            "orders": (
                "email",
                "first_name",
                "last_name",
                "phone",
                "address",
                "note",
                "delivery_location",
                "tracking_number",
                "promotion_customers",
            ),
            "order_lines": ("options", "pictures", "picture", "design_name"),
            "order_events": ("why",),
            "payments": ("evidence", "pay_url"),
        },
        _blank_orders,
    ),
)
declare_other_columns(
    {
        "orders": ("number", "currency", "promotion_code", "delivery_name", "carrier"),
        "order_lines": ("card_token", "title", "sku", "fingerprint"),
    }
)
declare_audit_labels(
    actions={
        "order.canceled": _("Order cancelled"),
        "order.delivered": _("Order delivered"),
        "order.expired": _("Order expired"),
        "order.extended": _("Payment deadline extended"),
        "order.given_after_all": _("Order fulfilled after restock"),
        "order.noted": _("Note added to order"),
        "order.oversold": _("Order oversold"),
        "order.paid": _("Order paid"),
        "order.placed": _("Order placed"),
        "order.processed": _("Order processing started"),
        "order.shipped": _("Order shipped"),
        "order_line.produced": _("Production status updated"),
    },
    objects={
        "order_lines": _("Order item"),
        "orders": _("Order"),
    },
)
