"""What was bought in the demo shop: orders in several states, made as buyers make them, and what buyers said."""

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

ADA_LIVES = {"line1": "27 Hill Road", "city": "London", "postal_code": "SE15 3JX", "phone": "+442079460155"}
OTHER_BUYERS = (
    ("marta@example.com", "Marta", "Keller", {"line1": "4 Canal Street", "city": "Leeds", "postal_code": "LS1 4AX"}),
    ("tomi@example.com", "Tomi", "Bello", {"line1": "88 Park Lane", "city": "Bristol", "postal_code": "BS1 5TR"}),
)
ADA_SAYS = (
    ("moorland-journal", 5, "Lies flat, takes ink without bleeding, and the engraving is crisp. My third one."),
    ("studio-mug", 4, "Lovely glaze. A little smaller than I expected, so check the size before you order."),
)
OTHERS_SAY = (
    (
        ("moorland-journal", 4, "Good paper. I'd love a ruled version too."),
        ("summit-mug", 5, "Survived a whole summer."),
    ),
    (("lagoon-bottle", 5, "Cold water at the end of a hot day on site."), ("studio-mug", 5, "")),
)
ANSWERS = {"lagoon-bottle": {"color": "Turquoise", "name": "Tomi"}, "moorland-journal": {"name": "Ada"}}


@dataclass
class DemoPurchases:
    """Orders of Ada and of two more buyers, once."""

    keys: Keys
    ada: User
    staff: User
    made: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Make the orders unless Ada has bought something; tells what it made."""
        if db.session.scalar(select(Order.id).where(Order.user_id == self.ada.id).limit(1)) is not None:
            return []
        before = set(db.session.scalars(select(OutboxMessage.id)))
        if db.session.scalar(addresses.owned_by(self.ada).limit(1)) is None:
            create_address(self.ada, **ADA_LIVES)
        now = utcnow()
        self._delivered(self.ada, ADA_SAYS, now - timedelta(days=41))
        self._cards(now - timedelta(days=2))
        self._waiting(now - timedelta(hours=5))
        for back, (email, first, last, lives), says in zip((63, 20), OTHER_BUYERS, OTHERS_SAY, strict=True):
            buyer = registration.find_user(email)
            if buyer is None:
                buyer = create_user(email, first_name=first, last_name=last)
                create_address(buyer, **lives)
            self._delivered(buyer, says, now - timedelta(days=back), code="WELCOME10")
        # nobody gets mail about what was bought before the shop was there
        db.session.flush()
        db.session.execute(delete(OutboxMessage).where(OutboxMessage.id.not_in(before)))
        self.made.append("5 orders with reviews")
        return self.made

    def _delivered(self, buyer: User, says: tuple[tuple[str, int, str], ...], at: datetime, *, code: str = "") -> None:
        """An order that was paid, sent, has arrived and was liked."""
        wishes = [LineRequest(_product(slug), 1, ANSWERS.get(slug, {})) for slug, _rating, _text in says]
        order = self._placed(buyer, wishes, at, code=code)
        self._paid(order, at + timedelta(hours=20))
        transitions.ship(order, self.staff, at + timedelta(days=2), carrier="Royal Mail", tracking_number="")
        transitions.deliver(order, self.staff, at + timedelta(days=4))
        _date_events(order, at, timedelta(hours=20), timedelta(days=2), timedelta(days=4))
        for slug, rating, text in says:
            said = reviews.create(_product(slug), buyer, rating=rating, text=text, author=buyer.first_name)
            review = db.session.get_one(Review, said)
            review.created_at = at + timedelta(days=6)
            reviews.decide(review, review.status, ReviewStatus.APPROVED, self.staff, at + timedelta(days=7))
        db.session.flush()

    def _cards(self, at: datetime) -> None:
        """Two cards that are paid and wait to be printed."""
        design = db.session.scalar(select(Design).where(Design.is_public).order_by(Design.id).limit(1))
        order = self._placed(self.ada, [LineRequest(_product("nfc-card"), 2, design=design)], at)
        self._paid(order, at + timedelta(hours=1))
        _date_events(order, at, timedelta(hours=1))

    def _waiting(self, at: datetime) -> None:
        """An order that is going to be paid outside the web."""
        order = self._placed(
            self.ada, [LineRequest(_product("three-candles"), 1), LineRequest(_product("paper-stars"), 2)], at
        )
        self._begun(order, at)
        _date_events(order, at)

    def _context(self, at: datetime) -> RuleContext:
        return RuleContext(settings.load(), self.keys, at, self.staff)

    def _placed(self, buyer: User, wishes: list[LineRequest], at: datetime, *, code: str = "") -> Order:
        context, method = self._context(at), _method()
        for wish in wishes:
            editing.add(carts.get_or_create(buyer), wish, context, replacement.reservations_for)
        cart = carts.find_by_user(buyer)
        assert cart is not None
        cart.promotion = promotions.find(code) if code else None
        who = Buyer(buyer.email, buyer.first_name, buyer.last_name, user=buyer, address=_address(buyer), method=method)
        total = checkout.quote_cart(cart, who.customer, method, context).totals.total_amount
        order = checkout.place_order(cart, who, total, context)
        cart.promotion = None
        editing.clear(cart)
        return order

    def _begun(self, order: Order, at: datetime) -> Payment:
        gateway, shop = OfflineGateway(), settings.load()
        payment = payments.create(order, gateway, order.user)
        payments.record_started(payment, gateway.start(payments.build_charge(payment, shop, "")), gateway, shop, at)
        payment.created_at = at
        return payment

    def _paid(self, order: Order, at: datetime) -> None:
        payment = self._begun(order, at - timedelta(minutes=50))
        receipt = settlement.OfflineReceipt(payment.money, note="transfer")
        settlement.confirm_offline(payment, receipt, self._context(at))
        db.session.refresh(order)


def _product(slug: str) -> Product:
    return db.session.scalars(select(Product).where(Product.slug == slug)).one()


def _method() -> DeliveryMethod:
    wanted = select(DeliveryMethod).where(DeliveryMethod.kind == DeliveryKind.PERCENT).order_by(DeliveryMethod.id)
    return db.session.scalars(wanted.limit(1)).one()


def _address(buyer: User) -> dict[str, Any]:
    return db.session.scalars(addresses.owned_by(buyer).limit(1)).one().parts


def _date_events(order: Order, at: datetime, *later: timedelta) -> None:
    """Let an order's history say when things happened in the demo's story, not when the demo was made."""
    db.session.flush()
    db.session.refresh(order, ["events"])
    for event, wait in zip(order.events, (timedelta(), *later), strict=True):
        event.happened_at = at + wait
