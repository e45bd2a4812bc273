"""Declarations of the cart, promotions and store credit: permissions, uploads, personal data."""

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from ...db import execute_update
from ...models import Cart, CartLine, CreditAccount, CreditEntry, Order, WishlistEntry
from ...registry import (
    Person,
    PersonalDataRule,
    declare_audit_labels,
    declare_other_columns,
    declare_permissions,
    declare_personal_data,
    declare_uploads,
)


def _delete_cart(person: Person) -> None:
    """Delete a person's cart and wishlist; their orders no longer refer to the cart."""
    carts = select(Cart.id).where(Cart.user_id == person.id)
    execute_update(sa.update(Order).where(Order.cart_id.in_(carts)).values(cart_id=None))
    execute_update(sa.delete(CartLine).where(CartLine.cart_id.in_(carts)))
    execute_update(sa.delete(Cart).where(Cart.user_id == person.id))
    execute_update(sa.delete(WishlistEntry).where(WishlistEntry.user_id == person.id))


def _blank_credit(person: Person) -> None:
    """Blank the reasons of credit entries and delete the balance; the amounts stay for accounting."""
    execute_update(sa.update(CreditEntry).where(CreditEntry.user_id == person.id).values(why=""))
    execute_update(sa.delete(CreditAccount).where(CreditAccount.user_id == person.id))


declare_permissions("promotions.edit", "delivery.edit", "credit.give")
declare_uploads(lists=(CartLine.pictures,))
declare_personal_data(
    PersonalDataRule("promotion uses per customer (keyed hash)", {"promotion_customers": ("customer",)}),
    PersonalDataRule("store credit", {"credit_entries": ("why",)}, _blank_credit),
    PersonalDataRule(
        "carts: contents and checkout details",
        {"carts": ("checkout",), "cart_lines": ("options", "front_picture", "rear_picture", "pictures")},
        _delete_cart,
    ),
)
declare_other_columns(
    {"promotions": ("code",), "delivery_methods": ("name", "countries", "locations"), "cart_lines": ("fingerprint",)}
)
declare_audit_labels(
    actions={
        "credit.given": _("Store credit given"),
        "delivery_method.changed": _("Delivery method updated"),
        "delivery_method.made": _("Delivery method created"),
        "delivery_method.moved": _("Delivery method moved"),
        "promotion.changed": _("Promotion updated"),
        "promotion.made": _("Promotion created"),
    },
    objects={
        "delivery_methods": _("Delivery method"),
        "promotions": _("Promotion"),
    },
)
