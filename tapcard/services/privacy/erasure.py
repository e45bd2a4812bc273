"""Erase a person: one table of everything personal, which erasing, its test and docs/privacy.md share.

Whoever adds a column enters it here, either in `PERSONAL` or in `IMPERSONAL`; a test sees to that.
"""

import email
import email.policy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from ... import files
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import (
    Address,
    AuditEntry,
    Card,
    CardEvent,
    CardTransfer,
    Cart,
    CartLine,
    CreditAccount,
    CreditEntry,
    Design,
    Enquiry,
    FormerSlug,
    Lead,
    LinkPurpose,
    LinkToken,
    Order,
    OrderEvent,
    OrderLine,
    OutboxMessage,
    Payment,
    Product,
    Profile,
    ProfileLink,
    RecoveryCode,
    Review,
    ReviewStatus,
    Schedule,
    Subscriber,
    Tap,
    TwoFactor,
    User,
    WebSession,
    WishlistEntry,
    user_roles,
)
from ...models.users import RETURN_WITHIN
from ..cards import transitions
from ..core import audit, uploads
from . import closure

WHY_RETIRED = "account erased"
NO_HOST = "erased.invalid"  # RFC 2606: nothing is ever delivered there, and nobody can sign up with it


class NotErasable(DomainError):
    """The account is open, was closed too lately, or is erased already."""


@dataclass(frozen=True)
class Person:
    """Whom to erase, and what is found out about them before anything is gone."""

    id: int
    emails: frozenset[str]
    full_name: str
    profile_ids: frozenset[int]
    card_ids: frozenset[int]
    lead_ids: frozenset[int]
    link_ids: frozenset[int]
    transfer_ids: frozenset[int]
    order_ids: frozenset[int]
    pictures: frozenset[str]


@dataclass(frozen=True)
class Kept:
    """One line of the table in docs/privacy.md: which columns of which tables, and how they are erased."""

    what: str
    columns: Mapping[str, tuple[str, ...]]
    erase: Callable[[Person], None] | None = field(default=None)  # None: stays or ends by itself, see docs/privacy.md


def due(now: datetime) -> list[int]:
    """The accounts whose time to come back is over, by their ids."""
    waiting = select(User.id).where(User.closed_at <= now - RETURN_WITHIN, ~User.is_active, User.erased_at.is_(None))
    return list(db.session.scalars(waiting.order_by(User.id)))


def erase(user_id: int, now: datetime, *, closed_before: datetime) -> Person:
    """Erase a person whose account was closed before an instant; of erasing and coming back only one happens.

    Gives what `forget_files` needs once this is committed. Raises `NotErasable`.
    """
    person = find(user_id)
    erased = db.session.execute(
        sa.update(User)
        .where(User.id == user_id, ~User.is_active, User.closed_at <= closed_before, User.erased_at.is_(None))
        .values(erased_at=now)
        .execution_options(synchronize_session=False)
    )
    if erased.rowcount != 1:  # type: ignore[attr-defined]
        raise NotErasable(_("This account isn't closed, or its data has already been erased."))
    db.session.expire_all()
    closure.withdraw_offers(db.session.get_one(User, user_id), now)
    for kept in PERSONAL:
        if kept.erase is not None:
            kept.erase(person)
    db.session.expire_all()
    audit.record("user.erased", subject=db.session.get_one(User, user_id))
    return person


def find(user_id: int) -> Person:
    """Gather what belongs to somebody."""
    user = db.session.get_one(User, user_id)
    proven = select(LinkToken.email).where(LinkToken.user_id == user_id, LinkToken.purpose != LinkPurpose.CHANGE_EMAIL)
    emails = {user.email, *db.session.scalars(proven)}  # not one that was only asked for: it may be anybody's
    profiles = db.session.execute(select(Profile.id, Profile.photo, Profile.banner).where(Profile.owner_id == user_id))
    rows = profiles.all()
    transfers = sa.or_(CardTransfer.from_user_id == user_id, CardTransfer.to_user_id == user_id)
    if user.is_verified:
        transfers = sa.or_(transfers, CardTransfer.to_email == user.email)
    shown = {name for row in rows for name in row[1:] if name}
    for front, rear in db.session.execute(
        select(Design.front_picture, Design.rear_picture).where(_own_design(user_id))
    ):
        shown |= {name for name in (front, rear) if name}
    orders = _ids(select(Order.id).where(_own_order(user_id, emails if user.is_verified else set())))
    shown |= uploads.of_lines(CartLine, CartLine.cart_id.in_(select(Cart.id).where(Cart.user_id == user_id)))
    shown |= uploads.of_lines(OrderLine, OrderLine.order_id.in_(orders))
    return Person(
        id=user_id,
        emails=frozenset(emails),
        full_name=user.full_name,
        profile_ids=frozenset(row[0] for row in rows),
        card_ids=_ids(select(Card.id).where(Card.owner_id == user_id)),
        lead_ids=_ids(select(Lead.id).where(Lead.owner_id == user_id)),
        link_ids=_ids(select(LinkToken.id).where(LinkToken.user_id == user_id)),
        transfer_ids=_ids(select(CardTransfer.id).where(transfers)),
        order_ids=orders,
        pictures=frozenset(shown | uploads.left_by(user_id)),
    )


def _own_order(user_id: int, emails: set[str]) -> sa.ColumnElement[bool]:
    """The orders of a person, and those that wait for whoever proves to have an address that was theirs."""
    waiting = sa.and_(Order.user_id.is_(None), Order.email.in_(sorted(emails)))
    return sa.or_(Order.user_id == user_id, waiting)


def _ids(query: sa.Select[Any]) -> frozenset[int]:
    return frozenset(db.session.scalars(query))


def forget_files(person: Person, instance: Path, *, with_mails: bool) -> None:
    """Delete the files of somebody whose erasing is committed: pictures nothing else shows, mails that became files.

    Former pictures are among them, and those that were sent and never saved.
    """
    for name in sorted(person.pictures - uploads.in_use(person.pictures)):
        files.delete(name, files.folder(instance))
    if with_mails:
        delete_mails(person, instance / "mail")


def delete_mails(person: Person, folder: Path) -> None:
    """Delete the mails that development writes to files, as far as they name somebody."""
    names = {person.full_name.casefold(), *person.emails} - {""}
    for path in folder.glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        texts = [str(value) for value in message.values()]
        texts += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
        assert isinstance(message, EmailMessage)
        whole = "\n".join(texts).casefold()
        if any(name in whole for name in names):
            path.unlink(missing_ok=True)


def is_erased(email: str) -> bool:
    """Whether an address stands for nobody: its person was erased, and no mail can reach them."""
    return email.endswith(f"@{NO_HOST}")


# --- how each kind is erased ------------------------------------------------------------------------------------------


def _run(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def _all_of(*columns: InstrumentedAttribute[Any]) -> Callable[[Person], None]:
    """Delete every row that names the person in one of these columns."""

    def delete(person: Person) -> None:
        for column in columns:
            _run(sa.delete(column.class_).where(column == person.id))

    return delete


def _blank_user(person: Person) -> None:
    nobody = {"title": None, "first_name": "", "last_name": "", "born_on": None, "password_hash": None}
    no_times = {"password_set_at": None, "verified_at": None, "seen_at": None, "weekly_mail_on": None}
    no_mails = {"email": f"erased-{person.id}@{NO_HOST}", "wants_lead_mail": False, "wants_weekly_mail": False}
    _run(sa.update(User).where(User.id == person.id).values(**nobody, **no_times, **no_mails))
    _run(sa.delete(user_roles).where(user_roles.c.user_id == person.id))


def _delete_profiles(person: Person) -> None:
    is_theirs = select(Profile.id).where(Profile.owner_id == person.id)
    for table in (ProfileLink, FormerSlug):
        _run(sa.delete(table).where(table.profile_id.in_(is_theirs)))
    _run(sa.delete(Profile).where(Profile.owner_id == person.id))


def _own_design(user_id: int) -> sa.ColumnElement[bool]:
    """A person's own artwork, unless the shop shows it to all or somebody else holds a card made of it."""
    others = select(Card.id).where(Card.design_id == Design.id, Card.owner_id.is_not(None), Card.owner_id != user_id)
    return sa.and_(Design.owner_id == user_id, ~Design.is_public, ~others.exists())


def _blank_designs(person: Person) -> None:
    blank = {"name": "", "front_picture": None, "rear_picture": None, "why_rejected": ""}
    _run(sa.update(Design).where(_own_design(person.id)).values(**blank))
    _run(sa.update(Design).where(Design.owner_id == person.id).values(owner_id=None))


def _retire_cards(person: Person) -> None:
    transitions.retire_all(db.session.get_one(User, person.id), WHY_RETIRED)
    _run(sa.update(Card).where(Card.owner_id == person.id).values(**transitions.CLEARED_VALUES))


def _blank_deeds(person: Person) -> None:
    """What was written down with a deed; that it was done, when and by whose number stays."""
    is_theirs = CardEvent.card_id.in_(select(Card.id).where(Card.owner_id == person.id))
    said = sa.or_(is_theirs, CardEvent.actor_id == person.id)
    _run(sa.update(CardEvent).where(said, CardEvent.why.not_in(["", WHY_RETIRED])).values(why=""))
    of_cards = select(Card.id).where(Card.owner_id == person.id)
    about = sa.or_(
        AuditEntry.actor_id == person.id,
        sa.and_(AuditEntry.subject_type == "users", AuditEntry.subject_id == person.id),
        sa.and_(AuditEntry.subject_type == "profiles", AuditEntry.subject_id.in_(sorted(person.profile_ids))),
        sa.and_(AuditEntry.subject_type == "cards", AuditEntry.subject_id.in_(of_cards)),
        sa.and_(AuditEntry.subject_type == "orders", AuditEntry.subject_id.in_(sorted(person.order_ids))),
    )
    _run(sa.update(AuditEntry).where(about).values(details={}, origin=""))


def _blank_transfers(person: Person) -> None:
    concerns = sa.or_(
        CardTransfer.from_user_id == person.id,
        CardTransfer.to_user_id == person.id,
        CardTransfer.to_email.in_(sorted(person.emails)) & CardTransfer.ended_at.is_not(None),
    )
    _run(sa.update(CardTransfer).where(concerns).values(to_email=""))


def _delete_promises(person: Person) -> None:
    """Promises that are kept carry nothing any more; those under way or given up are looked through one by one."""
    rows = select(OutboxMessage.id, OutboxMessage.payload, OutboxMessage.error).where(OutboxMessage.done_at.is_(None))
    found = [row.id for row in db.session.execute(rows) if _concerns(person, row.payload, row.error)]
    for start in range(0, len(found), 500):
        _run(sa.delete(OutboxMessage).where(OutboxMessage.id.in_(found[start : start + 500])))
    for schedule in db.session.execute(select(Schedule.name, Schedule.error).where(Schedule.error != "")).all():
        if _concerns(person, {}, schedule.error):
            _run(sa.update(Schedule).where(Schedule.name == schedule.name).values(error=""))


def _concerns(person: Person, payload: Mapping[str, Any], error: str) -> bool:
    """Whether a promise names the person, or something that was theirs."""
    theirs: dict[str, frozenset[int]] = {
        "user_id": frozenset({person.id}),
        "owner_id": frozenset({person.id}),
        "link_id": person.link_ids,
        "lead_id": person.lead_ids,
        "card_id": person.card_ids,
        "profile_id": person.profile_ids,
        "transfer_id": person.transfer_ids,
        "order_id": person.order_ids,
    }
    if any(value in theirs.get(name, ()) for name, value in payload.items()):
        return True
    text = "\n".join([error, *(str(value) for value in payload.values())]).casefold()
    return any(address in text for address in person.emails)


def _blank_orders(person: Person) -> None:
    """Orders keep what the books need: number, dates, goods, amounts, tax and the country they went to."""
    theirs = Order.id.in_(sorted(person.order_ids))
    for order_id, address in db.session.execute(select(Order.id, Order.address).where(theirs)).all():
        kept = {name: address[name] for name in ("country",) if address.get(name)}
        _run(sa.update(Order).where(Order.id == order_id).values(address=kept))
    nobody = {"email": f"erased-{person.id}@{NO_HOST}", "first_name": "", "last_name": "", "phone": None}
    words = {"note": "", "delivery_location": "", "tracking_number": "", "promotion_customers": []}
    _run(sa.update(Order).where(theirs).values(**nobody, **words))
    of_them = select(Order.id).where(theirs)
    _run(sa.update(OrderLine).where(OrderLine.order_id.in_(of_them)).values(options=[], pictures=[]))
    artwork = select(OrderLine.design_id).where(OrderLine.order_id.in_(of_them))
    is_nobodys = (Design.id.in_(artwork), Design.owner_id.is_(None), ~Design.is_public)
    _run(sa.update(Design).where(*is_nobodys).values(owner_id=person.id))  # it is blanked with the rest of theirs
    own_artwork = OrderLine.design_id.in_(select(Design.id).where(Design.owner_id == person.id, ~Design.is_public))
    _run(sa.update(OrderLine).where(OrderLine.order_id.in_(of_them), own_artwork).values(picture=None, design_name=""))
    _run(sa.update(OrderEvent).where(OrderEvent.order_id.in_(of_them)).values(why=""))
    _run(sa.update(Payment).where(Payment.order_id.in_(of_them)).values(evidence={}, pay_url=""))


def _delete_cart(person: Person) -> None:
    """Orders forget which cart they were placed from, and the lines go with the cart."""
    carts = select(Cart.id).where(Cart.user_id == person.id)
    _run(sa.update(Order).where(Order.cart_id.in_(carts)).values(cart_id=None))
    _run(sa.delete(CartLine).where(CartLine.cart_id.in_(carts)))
    _run(sa.delete(Cart).where(Cart.user_id == person.id))
    _run(sa.delete(WishlistEntry).where(WishlistEntry.user_id == person.id))


def _delete_reviews(person: Person) -> None:
    """Their stars no longer count either."""
    theirs = Review.user_id == person.id
    counted = db.session.execute(
        select(Review.product_id, Review.rating).where(theirs, Review.status == ReviewStatus.APPROVED)
    ).all()
    for product_id, rating in counted:
        values = {"rating_count": Product.rating_count - 1, "rating_sum": Product.rating_sum - rating}
        _run(sa.update(Product).where(Product.id == product_id).values(**values))
    _run(sa.delete(Review).where(theirs))


def _forget_credit(person: Person) -> None:
    """What was given and spent stays in the books, why does not; nothing can be spent any more."""
    _run(sa.update(CreditEntry).where(CreditEntry.user_id == person.id).values(why=""))
    _run(sa.delete(CreditAccount).where(CreditAccount.user_id == person.id))


def _delete_words(person: Person) -> None:
    _run(sa.delete(Subscriber).where(Subscriber.email.in_(sorted(person.emails))))
    wrote = sa.or_(Enquiry.user_id == person.id, Enquiry.email.in_(sorted(person.emails)))
    _run(sa.delete(Enquiry).where(wrote))


def _blank_own_taps(person: Person) -> None:
    """Taps of their own cards by their own phone say where they were; as a count they stay."""
    nothing = {"visitor": "", "user_agent_id": None, "language": "", "referrer_host": "", "country": ""}
    _run(sa.update(Tap).where(Tap.owner_id == person.id, Tap.is_own).values(**nothing))


# --- everything personal ----------------------------------------------------------------------------------------------

# In this order: what finds others by the person's cards and profiles comes before those.
PERSONAL: tuple[Kept, ...] = (
    Kept("who did what", {"audit_entries": ("details", "origin"), "card_events": ("why",)},
         _blank_deeds),
    Kept("mails under way (ids, at times what a visitor wrote), former pictures to be deleted",
         {"outbox": ("payload", "error"), "schedules": ("error",)}, _delete_promises),
    Kept("offers of cards", {"card_transfers": ("to_email",)}, _blank_transfers),
    Kept("device, times seen", {"web_sessions": ("device", "data", "sid_hash")}, _all_of(WebSession.user_id)),
    Kept("links in mails (hash alone)", {"link_tokens": ("email", "token_hash")}, _all_of(LinkToken.user_id)),
    Kept("second factor: sealed secret, hashes of recovery codes",
         {"two_factor": ("secret",), "recovery_codes": ("code_hash",)},
         _all_of(TwoFactor.user_id, RecoveryCode.user_id)),
    Kept("addresses for parcels and bills",
         {"addresses": ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")},
         _all_of(Address.user_id)),
    Kept("contacts that visitors left for a holder (leads)",
         {"leads": ("name", "email", "phone", "note", "consent_text")}, _all_of(Lead.owner_id)),
    Kept("what a holder publishes, photo and banner",
         {"profiles": ("slug", "name", "headline", "company", "bio", "email", "phone", "whatsapp", "linkedin",
                       "instagram", "snapchat", "x", "tiktok", "youtube", "facebook", "github", "website", "address",
                       "photo", "banner", "hidden_fields"),
          "profile_links": ("title", "url"), "former_slugs": ("slug",)}, _delete_profiles),
    Kept("orders, and what was paid for them",
         {"orders": ("email", "first_name", "last_name", "phone", "address", "note", "delivery_location",
                     "tracking_number", "promotion_customers"),
          "order_lines": ("options", "pictures", "picture", "design_name"), "order_events": ("why",),
          "payments": ("evidence", "pay_url")}, _blank_orders),
    Kept("carts: what somebody means to buy, and what they typed at the checkout",
         {"carts": ("checkout",), "cart_lines": ("options", "front_picture", "rear_picture", "pictures")},
         _delete_cart),
    Kept("reviews", {"reviews": ("author", "text")}, _delete_reviews),
    Kept("credit in the shop", {"credit_entries": ("why",)}, _forget_credit),
    Kept("how often somebody used a promotion (keyed hash)", {"promotion_customers": ("customer",)}),
    Kept("newsletter and messages to the shop",
         {"subscribers": ("email", "consent_text"), "enquiries": ("name", "email", "order_number", "message")},
         _delete_words),
    Kept("artwork of one's own", {"designs": ("name", "front_picture", "rear_picture", "why_rejected")},
         _blank_designs),
    Kept("where cards lead, what they are called", {"cards": ("alias", "reroute_url", "reroute_host")}, _retire_cards),
    Kept("of **visitors**: user agent, language, referring host, country, pseudonym of the day",
         {"taps": ("language", "referrer_host", "country", "visitor"), "user_agents": ("text",)}, _blank_own_taps),
    Kept("of **visitors**: what they did on a profile, pseudonym of the day",
         {"profile_actions": ("detail", "visitor")}),  # they go with the profile
    Kept("addresses tried at log in (keyed hash)", {"throttle_counters": ("subject",)}),
    Kept("name, e-mail, title, birth date, password's hash, choice of mails",
         {"users": ("email", "title", "first_name", "last_name", "born_on", "password_hash", "weekly_mail_on")},
         _blank_user),
)  # fmt: skip

# Columns with text, dates, JSON or bytes that say nothing about anybody, and why.
IMPERSONAL: dict[str, tuple[str, ...]] = {
    "roles": ("name", "permissions"),
    "settings": ("name", "value"),  # the shop's
    "blocked_hosts": ("host", "reason"),
    "card_batches": ("name",),
    "cards": ("token", "chip_uid", "claim_code", "claim_code_hash"),  # the card's, not its holder's
    "audit_entries": ("tag", "subject_type"),
    "outbox": ("kind",),
    "schedules": ("name",),
    "spool_files": ("name",),
    "throttle_counters": ("scope",),
    "taps": ("uid", "token"),  # made up for each tap; the token of a card that nobody knows
    "user_agents": ("os_family",),
    "visitor_keys": ("day_on", "key"),
    "tap_hours": ("country",),  # sums
    "tap_days": ("country", "day_on"),
    "shop_tap_days": ("country", "day_on"),
    "categories": ("name", "slug", "description", "picture"),
    "collections": ("name", "slug", "description"),
    "products": (
        "name",
        "slug",
        "sku",
        "promo_text",
        "size",
        "material",
        "color",
        "details",
        "available_on",
        "page_title",
        "page_description",
        "search_text",
    ),
    "product_pictures": ("name", "alt"),
    "product_options": ("key", "label", "choices"),
    "display_rates": ("currency",),
    "promotions": ("code",),
    "delivery_methods": ("name", "countries", "locations"),
    "shop_pages": ("slug", "title", "body", "description"),
    "cart_lines": ("fingerprint",),
    "orders": ("number", "currency", "promotion_code", "delivery_name", "carrier"),
    "order_lines": ("card_token", "title", "sku", "fingerprint"),
    "payments": ("gateway", "public_id", "reference", "currency"),
    "sandbox_charges": ("reference", "public_id", "currency", "description", "return_url", "state"),
}
