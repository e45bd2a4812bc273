"""Data and clients for tests that visit every endpoint: Ada's rows, and a client for each role."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from tapcard import files, seeds
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.models import (
    AuditEntry,
    Card,
    Design,
    DesignStatus,
    DisplayRate,
    LinkPurpose,
    LockedBecause,
    OutboxMessage,
    ProductKind,
    ProfileLink,
    Review,
    SandboxCharge,
    User,
    WebSession,
)
from tapcard.services.accounts import email_links
from tapcard.services.cards import transfers, transitions
from tapcard.services.cart import carts, editing, wishlist
from tapcard.services.cart.editing import LineRequest
from tapcard.services.content import newsletter
from tapcard.services.orders import queries
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.taps import weekly_digest
from tapcard.web import access
from tests import purchases
from tests.conftest import PASSWORD, FormClient, clean_instance, empty, login
from tests.statements import all_rows, restore_rows

DAY = timedelta(days=1)
BACK_OFFICE_TABLES = {"cards": Card, "designs": Design, "outbox": OutboxMessage, "audit": AuditEntry}
USERS: dict[str, tuple[str, ...]] = {  # and their roles in the back office
    "ada": (),
    "cleo": (),
    "ben": ("staff",),
    "olu": ("owner",),
    "teacher": ("teacher",),
    "assistant": ("assistant",),
}
NOBODY = "nobody"


@dataclass(frozen=True)
class Role:
    """A visitor: a user, or nobody, with variations such as an unverified email address."""

    who: str
    is_verified: bool = True
    needs_second_factor: bool = False  # as staff do in production; nobody here has one

    def __str__(self) -> str:
        special = "" if self.is_verified else "-unverified"
        return f"{self.who}{special}{'-without-second-factor' if self.needs_second_factor else ''}"


ROLES = [
    *map(Role, (NOBODY, *USERS)),
    Role("ada", is_verified=False),
    Role("cleo", is_verified=False),
    Role("ben", needs_second_factor=True),
    Role("olu", needs_second_factor=True),
]
by_role = pytest.mark.parametrize("role", ROLES, ids=str)


class Stage:
    """The application with a row for every path argument; changes made by a visit can be undone."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.users = {
            name: seeds.create_user(f"{name}@example.com", first_name=name.title(), password=PASSWORD, roles=roles)
            for name, roles in USERS.items()
        }
        self.values = sample_values(app, self.users["ada"], self.users["cleo"])
        db.session.commit()
        self._tables = {name: db.session.scalar(sa.select(sa.func.min(model.id)))
                        for name, model in BACK_OFFICE_TABLES.items()}  # fmt: skip
        self.clients = {name: self._browser(name) for name in (NOBODY, *USERS)}
        self._arranged = self._rows = all_rows()
        self._cookies = {name: dict(client._cookies) for name, client in self.clients.items()}

    def _browser(self, name: str) -> FormClient:
        client: FormClient = self.app.test_client()  # type: ignore[assignment]
        if name != NOBODY:
            login(client, self.users[name])
        db.session.commit()
        client.csrf_token()
        return client

    @contextmanager
    def visited_by(self, role: Role) -> Iterator[FormClient]:
        """Restore the data and yield the client of a role."""
        self._rows = self._arranged
        self.put_back()
        with pytest.MonkeyPatch.context() as patch:
            config = self.app.config["TAPCARD"]
            config = dataclasses.replace(config, requires_staff_two_factor=role.needs_second_factor)
            patch.setitem(self.app.config, "TAPCARD", config)  # type: ignore[arg-type]
            if not role.is_verified:
                self.users[role.who].verified_at = None
                self._rows = all_rows()
            yield self.clients[role.who]

    def put_back(self) -> None:
        """Undo all changes since the visit began."""
        db.session.rollback()
        restore_rows(self._rows)
        db.session.expire_all()
        for name, client in self.clients.items():
            client._cookies.clear()
            client._cookies.update(self._cookies[name])

    def is_as_arranged(self, role: Role) -> bool:
        """Return whether the visitor's client still has its session."""
        return dict(self.clients[role.who]._cookies) == self._cookies[role.who]

    def values_of(self, rule: Rule) -> dict[str, Any]:
        """Return a valid value for each argument of a path; values by endpoint come before those by blueprint."""
        found: dict[str, Any] = {}
        for argument in rule.arguments:
            for scope in (rule.endpoint, rule.endpoint.partition(".")[0], ""):
                if argument in self.values.get(scope, {}):
                    found[argument] = self.values[scope][argument]
                    break
            else:
                raise LookupError(f"Give `sample_values` a value for <{argument}>, which {rule.endpoint} takes.")
        return found

    def path_of(self, rule: Rule, **others: Any) -> str:
        """Return a path that the rule matches, with Ada's rows unless others are given."""
        built = rule.build({**self.values_of(rule), **others})
        assert built is not None
        table = rule.endpoint.removesuffix(".details_view")
        return built[1] + (f"?id={self._tables[table]}" if table in self._tables else "")

    def addresses(self, method: str) -> list[Rule]:
        """Return the URL rules with a method."""
        return [rule for rule in self.app.url_map.iter_rules() if method in (rule.methods or ())]

    def rule_of(self, address: Rule) -> access.Rule:
        """Return the access rule of a URL rule."""
        rule = access.rule_of(self.app, address.endpoint)
        assert rule is not None, address
        return rule

    @contextmanager
    def permitted(self, name: str) -> Iterator[Callable[[set[str]], None]]:
        """Yield a function that changes the permissions of a user's role; restore them afterwards."""
        role = self.users[name].roles[0]
        own = list(role.permissions)

        def permit(permissions: set[str]) -> None:
            role.permissions = sorted(permissions)
            db.session.commit()

        yield permit
        permit(set(own))


@contextmanager
def arranged(app: Flask) -> Iterator[Stage]:
    """Create the data once for all tests of a module, which must not use `app`, as it empties the database."""
    app.extensions["rate_limiter"].reset()
    with app.app_context(), transactions(writing=True):
        empty()
        clean_instance(Path(app.instance_path))
        yield Stage(app)
        db.session.rollback()
        db.session.remove()
        app.extensions["spool"].rotate()


def sample_values(app: Flask, ada: User, cleo: User) -> dict[str, dict[str, Any]]:
    """Create one row of each kind, most of them Ada's, and return values for the arguments of paths.

    Those under "" are good for every endpoint, unless there are others under its blueprint or its own name.
    """
    keys, design = app.extensions["keys"], seeds.create_design()
    create_card = partial(seeds.create_card, keys=keys)
    card = create_card(ada, token="ADASCARD", url="https://example.com/", design=design, alias="Everyday")
    create_card(token="WAITING2", code="CARD2345")
    transitions.lock(create_card(ada, token="LOSTCARD"), LockedBecause.LOST, ada)
    profile = seeds.create_profile(ada, "ada")
    profile.website = "https://example.com/"
    db.session.commit()
    lead, address = seeds.create_lead(profile), seeds.create_address(ada)
    link = ProfileLink(profile_id=profile.id, position=0, title="Work", url="https://example.com/work")
    soon = utcnow() + DAY
    browser = WebSession(sid_hash="0" * 64, user_id=ada.id, data=b"{}", seen_at=utcnow(), expires_at=soon)
    db.session.add_all([link, browser])
    offer = transfers.offer(card, ada, cleo.email, utcnow())
    page, enquiry, subscriber = seeds.create_page(), seeds.create_enquiry(), seeds.create_subscriber()
    db.session.commit()
    mailed = partial(email_links.issue_link, ada, now=utcnow())

    # in the shop: what Ada bought, one order after the other, and what is in her cart now
    picture = files.store(b"a picture", files.folder(app.instance_path))
    cards_order = purchases.order_cards(ada, 2)
    with_artwork = purchases.create_cart(ada)
    purchases.fill(with_artwork, seeds.create_product("Own card", kind=ProductKind.CARD), front_picture=picture)
    made_order = purchases.place(with_artwork)
    db.session.commit()
    payment = purchases.pay(made_order)
    category, collection = seeds.create_category(), seeds.create_collection()
    product = seeds.create_product(category=category, collections=[collection])
    db.session.commit()
    reviewed_order = purchases.create_order(ada, product)
    purchases.pay_and_deliver(reviewed_order)
    linked_order = purchases.create_order(ada, product)
    link_token = queries.link_token(linked_order, keys)  # opens this one alone
    paid_order = purchases.create_order(ada, product)
    purchases.pay(paid_order)
    order = purchases.create_order(ada, product)  # the last, as another order of the same cart would take its place
    returning = "http://localhost/orders/TC-"
    charge = SandboxCharge(reference="stage", amount=1000, currency="GBP", return_url=returning, state="open")
    db.session.add(charge)
    journal = seeds.create_product()
    wishlist.add(ada, journal)
    line = editing.add(carts.get_or_create(ada), LineRequest(journal, 2), purchases.context(), reservations_for).line

    # in the back office
    pictured = seeds.create_product(pictures=[(f"{1:032x}.webp", "")])
    option, own_design = seeds.create_option(pictured), seeds.create_design("Ours")
    artwork = seeds.create_design("Own artwork", is_public=False, status=DesignStatus.REQUESTED)
    review = Review(product=pictured, user=ada, author="Ada", rating=4)
    db.session.add_all([review, DisplayRate(currency="EUR", rate=1)])
    promotion, method = seeds.create_promotion(), seeds.create_delivery_method()
    db.session.commit()
    own_cards = {"number": cards_order.number}
    return {
        "": {
            "token": card.token,
            "slug": product.slug,
            "number": order.number,
            "name": picture,
            "filename": "vendor/jquery.min.js",
            "export_type": "csv",
            "kind": "svg",
            "key": "website",
            "series": "days",
            "action": "back",
            "currency": "EUR",
            "public_id": payment.public_id,
            "profile_id": profile.id,
            "lead_id": lead.id,
            "link_id": link.id,
            "address_id": address.id,
            "offer_id": offer.id,
            "session_id": browser.id,
            "user_id": ada.id,
            "line_id": line.id,
            "page_id": page.id,
            "enquiry_id": enquiry.id,
            "product_id": pictured.id,
            "picture_id": pictured.pictures[0].id,
            "option_id": option.id,
            "category_id": category.id,
            "collection_id": collection.id,
            "promotion_id": promotion.id,
            "method_id": method.id,
            "design_id": artwork.id,
            "review_id": review.id,
        },
        # by blueprint
        "tap": {"slug": profile.slug},
        "backoffice": {
            "number": made_order.number,
            "line_id": made_order.lines[0].id,
            "token": made_order.lines[0].cards[0].token,
        },
        # by endpoint
        "auth.verify": {"token": mailed(LinkPurpose.VERIFY_EMAIL, ada.email)},
        "auth.set_password": {"token": mailed(LinkPurpose.SET_PASSWORD, ada.email)},
        "auth.confirm_email": {"token": mailed(LinkPurpose.CHANGE_EMAIL, "new@example.com")},
        "auth.undo_email": {"token": mailed(LinkPurpose.UNDO_EMAIL, "new@example.com")},
        "tap.stop_weekly_mail": {"token": weekly_digest.unsubscribe_token(ada.id, keys)},
        "tap.found_card": {"token": "LOSTCARD"},
        "shop.category": {"slug": category.slug},
        "shop.collection": {"slug": collection.slug},
        "shop.page": {"slug": page.slug},
        "shop.confirm_subscription": {"token": newsletter.confirm_token(subscriber, keys)},
        "shop.unsubscribe": {"token": newsletter.unsubscribe_token(subscriber, keys)},
        "shop.order_link": {"token": link_token},
        "shop.review_link": {"token": link_token},
        "shop.review_ordered": {"number": reviewed_order.number},
        "shop.receipt": {"number": paid_order.number},
        "shop.codes": own_cards,
        "shop.codes_csv": own_cards,
        "shop.codes_sheet": own_cards,
        "shop.claim_cards": own_cards,
        "billing.sandbox": {"public_id": charge.public_id},
        "billing.sandbox_action": {"public_id": charge.public_id},
        "backoffice.claim_code": {"token": "WAITING2"},
        "backoffice.design": {"design_id": own_design.id},
    }
