"""Orders in several states and reviews of the demo shop, created by the services that customers use."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from .. import settings
from ..clock import utcnow
from ..context import RuleContext
from ..db import db
from ..gateways.offline import OfflineGateway
from ..keys import Keys
from ..models import (
    DeliveryKind,
    DeliveryMethod,
    Design,
    Order,
    OutboxMessage,
    Payment,
    Product,
    Review,
    ReviewStatus,
    User,
)
from ..seeds.factories import create_address, create_user
from ..services.accounts import addresses, registration
from ..services.cart import carts, editing, promotions
from ..services.cart.editing import LineRequest
from ..services.catalogue import reviews
from ..services.orders import checkout, replacement, transitions
from ..services.orders.placement import Buyer
from ..services.payments import payments, settlement

ADA_ADDRESS = {"line1": "27 Hill Road", "city": "London", "postal_code": "SE15 3JX", "phone": "+442079460155"}
OTHER_CUSTOMERS = (
    ("marta@example.com", "Marta", "Keller", {"line1": "4 Canal Street", "city": "Leeds", "postal_code": "LS1 4AX"}),
    ("tomi@example.com", "Tomi", "Bello", {"line1": "88 Park Lane", "city": "Bristol", "postal_code": "BS1 5TR"}),
)
ADA_REVIEWS = (  # slug of the product, stars, text
    ("moorland-journal", 5, "Lies flat, takes ink without bleeding, and the engraving is crisp. My third one."),
    ("studio-mug", 4, "Lovely glaze. A little smaller than I expected, so check the size before you order."),
)
OTHER_REVIEWS = (
    (
        ("moorland-journal", 4, "Good paper. I'd love a ruled version too."),
        ("summit-mug", 5, "Survived a whole summer."),
    ),
    (("lagoon-bottle", 5, "Cold water at the end of a hot day on site."), ("studio-mug", 5, "")),
)
OPTIONS = {"lagoon-bottle": {"color": "Turquoise", "name": "Tomi"}, "moorland-journal": {"name": "Ada"}}


@dataclass
class DemoOrders:
    """Creates orders of Ada and of two other customers, once."""

    keys: Keys
    ada: User
    staff: User
    created: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Create the orders, unless Ada has one, and return descriptions of what was created."""
        if db.session.scalar(select(Order.id).where(Order.user_id == self.ada.id).limit(1)) is not None:
            return []
        old_message_ids = set(db.session.scalars(select(OutboxMessage.id)))
        if db.session.scalar(addresses.owned_by(self.ada).limit(1)) is None:
            create_address(self.ada, **ADA_ADDRESS)
        now = utcnow()
        self._delivered(self.ada, ADA_REVIEWS, now - timedelta(days=41))
        self._cards(now - timedelta(days=2))
        self._awaiting_payment(now - timedelta(hours=5))
        for days_ago, (email, first, last, address), ratings in zip(
            (63, 20), OTHER_CUSTOMERS, OTHER_REVIEWS, strict=True
        ):
            customer = registration.find_user(email)
            if customer is None:
                customer = create_user(email, first_name=first, last_name=last)
                create_address(customer, **address)
            self._delivered(customer, ratings, now - timedelta(days=days_ago), code="WELCOME10")
        # send no emails about orders of the past
        db.session.flush()
        db.session.execute(delete(OutboxMessage).where(OutboxMessage.id.not_in(old_message_ids)))
        self.created.append("5 orders with reviews")
        return self.created

    def _delivered(
        self, customer: User, ratings: tuple[tuple[str, int, str], ...], at: datetime, *, code: str = ""
    ) -> None:
        """Create an order that was paid, shipped, delivered and reviewed."""
        requests = [LineRequest(_product(slug), 1, OPTIONS.get(slug, {})) for slug, _rating, _text in ratings]
        order = self._place(customer, requests, at, code=code)
        self._pay(order, at + timedelta(hours=20))
        transitions.ship(order, self.staff, at + timedelta(days=2), carrier="Royal Mail", tracking_number="")
        transitions.deliver(order, self.staff, at + timedelta(days=4))
        _date_events(order, at, timedelta(hours=20), timedelta(days=2), timedelta(days=4))
        for slug, rating, text in ratings:
            review_id = reviews.create(_product(slug), customer, rating=rating, text=text, author=customer.first_name)
            review = db.session.get_one(Review, review_id)
            review.created_at = at + timedelta(days=6)
            reviews.decide(review, review.status, ReviewStatus.APPROVED, self.staff, at + timedelta(days=7))
        db.session.flush()

    def _cards(self, at: datetime) -> None:
        """Create a paid order of two cards that are queued for production."""
        design = db.session.scalar(select(Design).where(Design.is_public).order_by(Design.id).limit(1))
        order = self._place(self.ada, [LineRequest(_product("nfc-card"), 2, design=design)], at)
        self._pay(order, at + timedelta(hours=1))
        _date_events(order, at, timedelta(hours=1))

    def _awaiting_payment(self, at: datetime) -> None:
        """Create an order that awaits an offline payment."""
        order = self._place(
            self.ada, [LineRequest(_product("three-candles"), 1), LineRequest(_product("paper-stars"), 2)], at
        )
        self._start_payment(order, at)
        _date_events(order, at)

    def _context(self, at: datetime) -> RuleContext:
        return RuleContext(settings.load(), self.keys, at, self.staff)

    def _place(self, customer: User, requests: list[LineRequest], at: datetime, *, code: str = "") -> Order:
        context, method = self._context(at), _method()
        for request in requests:
            editing.add(carts.get_or_create(customer), request, context, replacement.reservations_for)
        cart = carts.find_by_user(customer)
        assert cart is not None
        cart.promotion = promotions.find(code) if code else None
        buyer = Buyer(
            customer.email, customer.first_name, customer.last_name,
            user=customer, address=_address(customer), method=method,
        )  # fmt: skip
        total = checkout.quote_cart(cart, buyer.customer, method, context).totals.total_amount
        order = checkout.place_order(cart, buyer, total, context)
        cart.promotion = None
        editing.clear(cart)
        return order

    def _start_payment(self, order: Order, at: datetime) -> Payment:
        gateway, shop = OfflineGateway(), settings.load()
        payment = payments.create(order, gateway, order.user)
        payments.record_started(payment, gateway.start(payments.build_charge(payment, shop, "")), gateway, shop, at)
        payment.created_at = at
        return payment

    def _pay(self, order: Order, at: datetime) -> None:
        payment = self._start_payment(order, at - timedelta(minutes=50))
        receipt = settlement.OfflineReceipt(payment.money, method="transfer", note="Statement line 12")
        settlement.confirm_offline(payment, receipt, self._context(at))
        db.session.refresh(order)


def _product(slug: str) -> Product:
    return db.session.scalars(select(Product).where(Product.slug == slug)).one()


def _method() -> DeliveryMethod:
    query = select(DeliveryMethod).where(DeliveryMethod.kind == DeliveryKind.PERCENT).order_by(DeliveryMethod.id)
    return db.session.scalars(query.limit(1)).one()


def _address(user: User) -> dict[str, Any]:
    return db.session.scalars(addresses.owned_by(user).limit(1)).one().parts


def _date_events(order: Order, at: datetime, *later: timedelta) -> None:
    """Set the times of an order's events: `at` for the first, `at` plus each of `later` for the others."""
    db.session.flush()
    db.session.refresh(order, ["events"])
    for event, delay in zip(order.events, (timedelta(), *later), strict=True):
        event.happened_at = at + delay
