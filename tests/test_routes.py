"""Every address there is: who gets what; looking changes nothing, sending needs a token, nothing odd breaks a page."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from tapcard import files, seeds, settings
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    AuditEntry,
    Card,
    Design,
    DesignStatus,
    DisplayRate,
    LinkPurpose,
    LockedBecause,
    Order,
    OutboxMessage,
    Payment,
    ProductKind,
    Profile,
    ProfileLink,
    Review,
    SandboxCharge,
    User,
    WebSession,
)
from tapcard.services.accounts import accounts
from tapcard.services.cards import cards, transfers
from tapcard.services.cart import carts, wishlist
from tapcard.services.cart.carts import Wish
from tapcard.services.content import newsletter
from tapcard.services.orders import orders
from tapcard.services.taps import weekly_digest
from tapcard.web.security import csrf
from tests import buying
from tests.conftest import FormClient, login
from tests.watching import all_rows, put_back, statements, walk, writes

DAY = timedelta(days=1)
ROLES = ("nobody", "ada", "cleo", "ben", "olu")
BACK_OFFICE_TABLES = {"cards": Card, "designs": Design, "outbox": OutboxMessage, "audit": AuditEntry}
HOLDERS = (302, 200, 200, 200, 200)
ADAS = (302, 200, 404, 404, 404)
ADAS_ORDERS = (404, 200, 404, 404, 404)
STAFFS = (302, 404, 404, 200, 200)
ALL = (200,) * 5
TAPS = (302,) * 5
ADAS_CART = (302, 200, 302, 302, 302)  # nobody else's holds anything
ADAS_LINE = (404, 302, 404, 404, 404)

# what each page answers to: nobody, Ada (whose things they are), Cleo, Ben of the staff, Olu the owner
LOOKING: dict[str, tuple[int, ...]] = {
    "shop.front": ALL,
    "shop.designs": ALL,
    "shop.find_card": ALL,
    "shop.terms": ALL,
    "shop.privacy": ALL,
    "auth.sign_up": (200, 302, 302, 302, 302),
    "auth.log_in": (200, 302, 302, 302, 302),
    "auth.verify": ALL,
    "auth.forgot_password": ALL,
    "auth.link_sent": ALL,
    "auth.set_password": ALL,
    "auth.account": HOLDERS,
    "auth.change_password": HOLDERS,
    "auth.change_email": HOLDERS,
    "auth.second_factor": (302,) * 5,  # on from a right password alone
    "auth.confirm_password": HOLDERS,
    "auth.show_two_factor": HOLDERS,
    "auth.set_up_two_factor": HOLDERS,
    "auth.new_recovery_codes": (302, 404, 404, 404, 404),  # it is off
    "auth.switch_off_two_factor": (302, 404, 404, 404, 404),
    "auth.list_sessions": HOLDERS,
    "auth.confirm_email": ALL,
    "auth.undo_email": ALL,
    "auth.addresses": HOLDERS,
    "auth.new_address": HOLDERS,
    "auth.edit_address": ADAS,
    "auth.delete_address": ADAS,
    "auth.close": HOLDERS,
    "auth.closed": ALL,
    "auth.reopen": (302,) * 5,  # asks only whoever has just proved to be the person of a closed account
    "tap.tap_nfc": TAPS,
    "tap.tap_qr": TAPS,
    "tap.tap_card": TAPS,
    "tap.activate": TAPS,
    "tap.dashboard": HOLDERS,
    "tap.card": ADAS,
    "tap.release_card": ADAS,
    "tap.card_qr": ADAS,
    "tap.transfer_card": ADAS,
    "tap.replace_card": ADAS,
    "tap.offer": (302, 404, 200, 404, 404),
    "tap.found_card": ALL,
    "tap.statistics": HOLDERS,
    "tap.statistics_csv": HOLDERS,
    "tap.statistics_series": (401, 200, 200, 200, 200),
    "tap.stop_weekly_mail": ALL,
    "tap.profiles": HOLDERS,
    "tap.new_profile": HOLDERS,
    "tap.edit_profile": ADAS,
    "tap.delete_profile": ADAS,
    "tap.profile_links": ADAS,
    "tap.profile_link": ADAS,
    "tap.profile": ALL,
    "tap.legacy_profile": (301,) * 5,
    "tap.vcard": ALL,
    "tap.open_link": TAPS,
    "tap.share_contact": ALL,
    "tap.contact_shared": ALL,
    "tap.profile_qr": ADAS,
    "tap.leads": HOLDERS,
    "tap.leads_csv": HOLDERS,
    "tap.leads_vcf": HOLDERS,
    "tap.lead_vcf": ADAS,
    "tap.delete_lead": ADAS,
    "backoffice.index": STAFFS,
    "backoffice.register_card": STAFFS,
    "backoffice.claim_code": STAFFS,
    "backoffice.hosts": STAFFS,
    "backoffice.orders": STAFFS,
    "backoffice.order": STAFFS,
    "backoffice.ship_order": STAFFS,
    "backoffice.cancel_order": STAFFS,
    "backoffice.extend_order": STAFFS,
    "backoffice.note_order": STAFFS,
    "backoffice.take_payment": STAFFS,
    "backoffice.dismiss_payment": STAFFS,
    "backoffice.order_file": STAFFS,
    "backoffice.order_cards": STAFFS,
    "backoffice.order_cards_csv": STAFFS,
    "backoffice.order_card_qr": STAFFS,
    "backoffice.delivery_note": STAFFS,
    "backoffice.swap_card": STAFFS,
    "backoffice.credit": STAFFS,
    "backoffice.give_credit": STAFFS,
    "uploads.file": ALL,
    "shop.codes": ADAS,
    "shop.codes_csv": ADAS,
    "shop.codes_sheet": ADAS,
    "ops.healthz": ALL,
    "ops.readyz": ALL,
    "shop.products": ALL,
    "shop.category": ALL,
    "shop.collection": ALL,
    "shop.product": ALL,
    "shop.review": (302, 200, 404, 404, 404),  # Ada has got it
    "shop.sitemap": ALL,
    "shop.cart": ALL,
    "shop.clear_cart": ADAS_CART,
    "shop.order_cards": ALL,
    "shop.wishlist": HOLDERS,
    "shop.checkout": (302, 200, 302, 302, 302),  # whose cart is empty goes back to it
    "shop.review_order": (302,) * 5,  # Ada has not said yet where it goes
    "shop.orders": ALL,
    "shop.order": ADAS_ORDERS,
    "shop.order_link": (302,) * 5,
    "shop.review_link": (302,) * 5,
    "shop.review_ordered": ADAS_ORDERS,
    "shop.cancel_order": ADAS_ORDERS,
    "shop.receipt": ADAS_ORDERS,
    "shop.find_order": ALL,
    "shop.order_link_sent": ALL,
    "billing.back": (302,) * 5,
    "billing.sandbox": ALL,
    "shop.page": ALL,
    "shop.contact": ALL,
    "shop.contact_sent": ALL,
    "shop.subscribe": ALL,
    "shop.subscription_asked": ALL,
    "shop.confirm_subscription": ALL,
    "shop.unsubscribe": ALL,
    "backoffice.pages": STAFFS,
    "backoffice.new_page": STAFFS,
    "backoffice.page": STAFFS,
    "backoffice.subscribers": STAFFS,
    "backoffice.subscribers_csv": STAFFS,
    "backoffice.enquiries": STAFFS,
    "backoffice.enquiries_csv": STAFFS,
    "backoffice.enquiry": STAFFS,
    "backoffice.products": STAFFS,
    "backoffice.new_product": STAFFS,
    "backoffice.product": STAFFS,
    "backoffice.product_picture": STAFFS,
    "backoffice.new_option": STAFFS,
    "backoffice.product_option": STAFFS,
    "backoffice.categories": STAFFS,
    "backoffice.new_category": STAFFS,
    "backoffice.category": STAFFS,
    "backoffice.new_collection": STAFFS,
    "backoffice.collection": STAFFS,
    "backoffice.promotions": STAFFS,
    "backoffice.new_promotion": STAFFS,
    "backoffice.promotion": STAFFS,
    "backoffice.delivery": STAFFS,
    "backoffice.new_delivery": STAFFS,
    "backoffice.delivery_method": STAFFS,
    "backoffice.rates": STAFFS,
    "backoffice.designs": STAFFS,
    "backoffice.new_design": STAFFS,
    "backoffice.design": STAFFS,
    "backoffice.reviews": STAFFS,
}
BACK = tuple(f"/admin/tables/{name}/" for name in BACK_OFFICE_TABLES)  # to a table from what it does not offer
BUYING = ("/checkout", "/cart", "/orders/TC-")
AWAY = ("/log-in?next=/", *BUYING, "https://example.com/", "/account/two-factor/set-up?next=/admin/", *BACK)
# whoever is signed in already, or has nothing to order
LEADING_ON = ("auth.sign_up", "auth.log_in", "auth.second_factor", "auth.reopen", "shop.checkout", "shop.review_order")
# what each form answers to when it is sent empty, with its token
SENDING: dict[str, tuple[int, ...]] = {
    "auth.sign_up": (422, 302, 302, 302, 302),
    "auth.log_in": (422, 302, 302, 302, 302),
    "auth.log_out": (302,) * 5,
    "auth.verify": (302,) * 5,
    "auth.resend_verification": (302,) * 5,
    "auth.forgot_password": (422,) * 5,
    "auth.set_password": (422,) * 5,
    "auth.account": (302,) * 5,  # what is not sent stays as it is
    "auth.change_password": (302, 422, 422, 422, 422),
    "auth.change_email": (302, 422, 422, 422, 422),
    "auth.second_factor": (302,) * 5,
    "auth.confirm_password": (302, 422, 422, 422, 422),
    "auth.set_up_two_factor": (302, 422, 422, 422, 422),
    "auth.new_recovery_codes": (302, 404, 404, 404, 404),
    "auth.download_codes": (302, 404, 404, 404, 404),
    "auth.switch_off_two_factor": (302, 404, 404, 404, 404),
    "auth.end_session": (302, 302, 404, 404, 404),
    "auth.end_other_sessions": (302,) * 5,
    "auth.confirm_email": (200, 302, 200, 200, 200),  # asks anybody but the account's holder to log in
    "auth.undo_email": (302,) * 5,
    "auth.new_address": (302, 422, 422, 422, 422),
    "auth.edit_address": (302, 302, 404, 404, 404),
    "auth.default_address": (302, 302, 404, 404, 404),
    "auth.delete_address": (302, 302, 404, 404, 404),
    "auth.close": (302, 422, 422, 422, 422),
    "auth.reopen": (302,) * 5,
    "auth.download_data": (302, 200, 200, 200, 200),
    "auth.choose_mails": (302,) * 5,
    "tap.claim": (302, 302, 409, 409, 409),
    "tap.card": (302, 302, 404, 404, 404),
    "tap.lock_card": (302, 302, 404, 404, 404),
    "tap.unlock_card": (302, 409, 404, 404, 404),
    "tap.release_card": (302, 422, 404, 404, 404),
    "tap.transfer_card": (302, 422, 404, 404, 404),
    "tap.withdraw_offer": (302, 302, 404, 404, 404),
    "tap.replace_card": (302, 422, 404, 404, 404),
    "tap.accept_offer": (302, 404, 302, 404, 404),
    "tap.decline_offer": (302, 404, 302, 404, 404),
    "tap.found_card": (422,) * 5,
    "tap.stop_weekly_mail": ALL,  # the link is signed
    "tap.new_profile": (302,) * 5,  # one's own name is there already
    "tap.edit_profile": (302, 422, 404, 404, 404),
    "tap.delete_profile": (302, 302, 404, 404, 404),
    "tap.share_contact": (422,) * 5,
    "tap.delete_lead": (302, 302, 404, 404, 404),
    "tap.preview_new_profile": (302, 200, 200, 200, 200),
    "tap.preview_profile": (302, 200, 404, 404, 404),
    "tap.profile_links": (302, 422, 404, 404, 404),
    "tap.profile_link": (302, 302, 404, 404, 404),  # what is not sent stays as it is
    "tap.move_profile_link": (302, 302, 404, 404, 404),
    "tap.show_profile_link": (302, 302, 404, 404, 404),
    "tap.remove_profile_link": (302, 302, 404, 404, 404),
    "tap.order_profile_links": (302, 409, 404, 404, 404),
    "backoffice.register_card": (302, 404, 404, 422, 422),
    "backoffice.hosts": (302, 404, 404, 422, 422),
    "backoffice.unblock_host": (302, 404, 404, 400, 400),
    "shop.review": (302, 422, 404, 404, 404),
    "shop.review_ordered": (404, 422, 404, 404, 404),
    "shop.choose_currency": (302,) * 5,
    "shop.add_to_cart": (422,) * 5,
    "shop.change_line": (404, 422, 404, 404, 404),
    "shop.remove_line": ADAS_LINE,
    "shop.clear_cart": (302,) * 5,
    "shop.accept_changes": (302,) * 5,
    "shop.use_code": (422,) * 5,
    "shop.drop_code": (302,) * 5,
    "shop.choose_delivery": (302,) * 5,  # what is not sent stays as it is
    "shop.use_credit": (302,) * 5,
    "shop.order_cards": (422,) * 5,
    "shop.wish": (302,) * 5,
    "shop.unwish": (302,) * 5,
    "shop.remove_wishes": (302, 422, 422, 422, 422),
    "shop.move_wishes": (302, 422, 422, 422, 422),
    "shop.checkout": (302, 422, 302, 302, 302),  # how it gets to Ada is not said
    "shop.go_on": (302,) * 5,
    "shop.place_order": (302,) * 5,
    "shop.pay_order": (404, 422, 404, 404, 404),
    "shop.cancel_order": (404, 302, 404, 404, 404),
    "shop.buy_again": (404, 302, 404, 404, 404),
    "shop.attach_order": (302, 409, 404, 404, 404),
    "shop.find_order": (422,) * 5,
    "billing.sandbox_action": (302,) * 5,
    "shop.activate": (302, 302, 409, 409, 409),  # the card is Ada's already
    "shop.claim_cards": (302, 302, 404, 404, 404),
    "shop.contact": (422,) * 5,
    "shop.subscribe": (422,) * 5,
    "shop.start_subscribing": ALL,  # changes nothing
    "shop.confirm_subscription": (302,) * 5,
    "shop.unsubscribe": ALL,  # the link is signed
    "backoffice.new_page": (302, 404, 404, 422, 422),
    "backoffice.page": (302, 404, 404, 422, 422),
    "backoffice.answer_enquiry": (302, 404, 404, 302, 302),
    "backoffice.reopen_enquiry": (302, 404, 404, 302, 302),
    "backoffice.new_product": (302, 404, 404, 422, 422),
    "backoffice.product": (302, 404, 404, 422, 422),
    "backoffice.add_pictures": (302, 404, 404, 422, 422),
    "backoffice.new_option": (302, 404, 404, 422, 422),
    "backoffice.product_option": (302, 404, 404, 302, 302),  # what is not sent stays as it is
    "backoffice.new_category": (302, 404, 404, 422, 422),
    "backoffice.category": (302, 404, 404, 302, 302),  # what is not sent stays as it is
    "backoffice.new_collection": (302, 404, 404, 422, 422),
    "backoffice.collection": (302, 404, 404, 302, 302),  # what is not sent stays as it is
    "backoffice.new_promotion": (302, 404, 404, 422, 422),
    "backoffice.promotion": (302, 404, 404, 422, 422),
    "backoffice.new_delivery": (302, 404, 404, 422, 422),
    "backoffice.delivery_method": (302, 404, 404, 302, 302),  # what is not sent stays as it is
    "backoffice.rates": (302, 404, 404, 422, 422),
    "backoffice.new_design": (302, 404, 404, 422, 422),
    "backoffice.design": (302, 404, 404, 302, 302),  # what is not sent stays as it is
    "backoffice.reject_design": (302, 404, 404, 422, 422),
    "backoffice.show_product": (302, 404, 404, 302, 302),
    "backoffice.duplicate_product": (302, 404, 404, 302, 302),
    "backoffice.product_picture": (302, 404, 404, 302, 302),
    "backoffice.move_picture": (302, 404, 404, 302, 302),
    "backoffice.remove_picture": (302, 404, 404, 302, 302),
    "backoffice.move_option": (302, 404, 404, 302, 302),
    "backoffice.remove_option": (302, 404, 404, 302, 302),
    "backoffice.apply_option_set": (302, 404, 404, 302, 302),
    "backoffice.move_category": (302, 404, 404, 302, 302),
    "backoffice.move_delivery": (302, 404, 404, 302, 302),
    "backoffice.remove_rate": (302, 404, 404, 302, 302),
    "backoffice.approve_design": (302, 404, 404, 302, 302),
    "backoffice.approve_review": (302, 404, 404, 302, 302),
    "backoffice.reject_review": (302, 404, 404, 302, 302),
    "backoffice.process_order": (302, 404, 404, 302, 302),
    "backoffice.deliver_order": (302, 404, 404, 302, 302),
    "backoffice.give_order": (302, 404, 404, 409, 409),  # nothing in it is missing
    "backoffice.produce_line": (302, 404, 404, 400, 400),
    "backoffice.ship_order": (302, 404, 404, 302, 302),  # a parcel goes without a number too
    "backoffice.cancel_order": (302, 404, 404, 422, 422),
    "backoffice.extend_order": (302, 404, 404, 422, 422),
    "backoffice.note_order": (302, 404, 404, 422, 422),
    "backoffice.take_payment": (302, 404, 404, 422, 422),
    "backoffice.dismiss_payment": (302, 404, 404, 422, 422),
    "backoffice.give_credit": (302, 404, 404, 422, 422),
    "backoffice.swap_card": (302, 404, 404, 422, 422),
}
# the tables that Flask-Admin draws
OFF = (302, 404, 404, 302, 302)  # nothing is made or edited as a row: staff are led back to the table
LOOKING_BACK_OFFICE: dict[str, tuple[int, ...]] = {
    "admin.index": (302, 404, 404, 404, 404),  # ours is `/admin/`
    "admin.static": (404,) * 5,
    "*.index_view": STAFFS,
    "*.details_view": STAFFS,
    "*.create_view": OFF,
    "*.edit_view": OFF,
    "*.export": OFF,
    "*.ajax_lookup": (302, 404, 404, 404, 404),
}
SENDING_BACK_OFFICE: dict[str, tuple[int, ...]] = {
    "*.create_view": OFF,
    "*.edit_view": OFF,
    "*.delete_view": OFF,
    "*.action_view": OFF,
    "*.ajax_update": (302, 404, 404, 404, 404),
}


def of_each_table(answers: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """What Flask-Admin's addresses answer, table by table."""
    return {endpoint.replace("*", table): each for endpoint, each in answers.items() for table in BACK_OFFICE_TABLES}


EVERY_LOOKING = LOOKING | of_each_table(LOOKING_BACK_OFFICE)
EVERY_SENDING = SENDING | of_each_table(SENDING_BACK_OFFICE)
BACK_OFFICE = re.compile(rf"(backoffice|admin|{'|'.join(BACK_OFFICE_TABLES)})\.(?!static)")


@dataclass(frozen=True)
class Like:
    """A role that fares as another one does, except where it says so."""

    whom: str
    looking: dict[str, int] = field(default_factory=dict)
    sending: dict[str, int] = field(default_factory=dict)


STRANGER = Like("cleo", {"tap.offer": 404}, {"tap.accept_offer": 404, "tap.decline_offer": 404})  # no offer is theirs
WITHOUT_BACK_OFFICE = (  # to the set-up
    {endpoint: 302 for endpoint in EVERY_LOOKING if BACK_OFFICE.match(endpoint)},
    {endpoint: 302 for endpoint in EVERY_SENDING if BACK_OFFICE.match(endpoint)},
)
LIKE = {
    "teacher": STRANGER,
    "assistant": STRANGER,
    # whose address is not verified reads so instead of an offer, and sees no leads
    "ada, unverified": Like(
        "ada", {"tap.offer": 200, "tap.lead_vcf": 404, "tap.delete_lead": 404}, {"tap.delete_lead": 404}
    ),
    "cleo, unverified": Like("cleo", {}, {"tap.accept_offer": 404, "tap.decline_offer": 404}),
    "ben, where staff need two factors": Like("ben", *WITHOUT_BACK_OFFICE),
    "olu, where staff need two factors": Like("olu", *WITHOUT_BACK_OFFICE),
}
EVERYBODY = [*ROLES, *(pytest.param(role, marks=pytest.mark.odd) for role in LIKE)]
# what mail programs send by themselves (RFC 8058): the address is signed, and does one harmless thing
WITHOUT_TOKEN = {
    "tapcard.tap.statistics.stop_weekly_mail",
    "tapcard.shop.newsletter.unsubscribe",
    "tapcard.shop.newsletter.start_subscribing",  # stands on every page; only shows the form that has a token
}
LET_OFF = {"tap.stop_weekly_mail", "shop.unsubscribe", "shop.start_subscribing"}
# Flask-Admin's own
TABLES = re.compile(rf"(admin|{'|'.join(BACK_OFFICE_TABLES)})\.")

ODD = [
    "",
    "0",
    "-1",
    "9" * 30,
    "1.5",
    "text",
    "\0",
    "é",
    "🂡",
    "\u202e",
    "x" * 3000,
    "a b",
    "'\"><",
    "..",
    "a/b",
    "A" * 21,
]
RAW = ["%ff", "%2e%2e%2f", "%0d%0aSet-Cookie:x=y", "%zz"]
ODD_PARTS = [*(quote(each, safe="/") for each in ODD), *RAW]


def shelved(ada: User) -> dict[str, dict[str, Any]]:
    """Something in the shop, which Ada has bought and got."""
    category, collection = seeds.create_category(), seeds.create_collection()
    product = seeds.create_product(category=category, collections=[collection])
    db.session.commit()
    order = buying.order_of(ada, product)
    buying.deliver(order)
    other = buying.order_of(ada, product)
    slugs = {"category": category.slug, "collection": collection.slug, "product": product.slug, "review": product.slug}
    token = orders.token_of(other, buying.keys())  # whose link opens this one alone
    return {f"shop.{name}": {"slug": slug} for name, slug in slugs.items()} | {
        "shop.review_link": {"token": token, "slug": product.slug},
        "shop.review_ordered": {"number": order.number, "slug": product.slug},
    }


def orders_of(ada: User) -> tuple[Order, Order, str]:
    """One order that waits and one that is paid, a cart with something in it, and what the sandbox knows of."""
    product = seeds.create_product()
    paid = buying.order_of(ada, product)
    buying.pay(paid)
    order = buying.order_of(ada, product)
    charge = SandboxCharge(
        reference="stage", amount=1000, currency="GBP", return_url="http://localhost/orders/TC-", state="open"
    )
    db.session.add(charge)
    db.session.commit()
    return order, paid, charge.public_id


@pytest.fixture
def stage(
    app: Flask, card: Card, profile: Profile, create_card: Callable[..., Card], ada: User, cleo: User
) -> Callable[[str], dict[str, Any]]:
    """Good values for the parts of each address: Ada's things."""
    create_card(token="WAITING2", code="CARD2345")
    profile.website = "https://example.com/"
    lead = seeds.create_lead(profile)
    picture = files.store(b"a picture", files.folder(app.instance_path))
    purposes = {
        "auth.verify": LinkPurpose.VERIFY_EMAIL,
        "auth.set_password": LinkPurpose.SET_PASSWORD,
        "auth.confirm_email": LinkPurpose.CHANGE_EMAIL,
        "auth.undo_email": LinkPurpose.UNDO_EMAIL,
    }
    links = {}
    for endpoint, purpose in purposes.items():
        address = ada.email if purpose in (LinkPurpose.VERIFY_EMAIL, LinkPurpose.SET_PASSWORD) else "new@example.com"
        links[endpoint] = accounts.issue_link(ada, purpose, address, utcnow())
    cards.lock(create_card(ada, token="LOSTCARD"), LockedBecause.LOST, ada)
    offer_id = transfers.offer(card, ada, cleo.email, utcnow()).id
    db.session.commit()
    address = seeds.create_address(ada)
    link = ProfileLink(profile_id=profile.id, position=0, title="Work", url="https://example.com/work")
    db.session.add(link)
    db.session.commit()
    browser = WebSession(sid_hash="0" * 64, user_id=ada.id, data=b"{}", seen_at=utcnow(), expires_at=utcnow() + DAY)
    db.session.add(browser)
    db.session.commit()
    written, enquiry, subscriber = seeds.create_page(), seeds.create_enquiry(), seeds.create_subscriber()
    db.session.commit()
    keys = app.extensions["keys"]
    sold = {"number": buying.cards_of(ada, 2).number}
    bought = paid_order(ada, picture) | shelved(ada)
    order, paid, charge_id = orders_of(ada)  # the last, as another order of the same cart would take its place
    db.session.commit()
    journal, _cards = seeds.create_product(), seeds.create_product("NFC card", kind=ProductKind.CARD)
    wishlist.add(ada, journal)
    line = carts.add(carts.make(ada), Wish(journal, 2), settings.load(), utcnow()).line
    db.session.commit()
    in_shop = {endpoint: {"slug": journal.slug} for endpoint in ("shop.add_to_cart", "shop.wish", "shop.unwish")}
    catalogue = things_of_the_shop(ada)
    special = {**in_shop, **bought,
               "shop.page": {"slug": written.slug},
               "shop.confirm_subscription": {"token": newsletter.confirm_token(subscriber, keys)},
               "shop.unsubscribe": {"token": newsletter.leave_token(subscriber, keys)},
               "shop.order_link": {"token": orders.token_of(order, app.extensions["keys"])},
               "shop.receipt": {"number": paid.number},
               "billing.back": {"public_id": db.session.scalars(sa.select(Payment.public_id)).first()},
               "billing.sandbox": {"public_id": charge_id},
               "billing.sandbox_action": {"public_id": charge_id, "action": "back"},
               "backoffice.claim_code": {"token": "WAITING2"}, "auth.end_session": {"session_id": browser.id},
               "tap.found_card": {"token": "LOSTCARD"},
               **{f"shop.{name}": sold for name in ("codes", "codes_csv", "codes_sheet", "claim_cards")},
               "tap.statistics_series": {"series": "days"},
               "backoffice.design": {"design_id": catalogue["own_design_id"]},
               **{f"{table}.details_view": {"id": db.session.scalar(sa.select(sa.func.min(model.id)))}
                  for table, model in BACK_OFFICE_TABLES.items()},
               "tap.stop_weekly_mail": {"token": weekly_digest.token_of(ada.id, app.extensions["keys"])}}  # fmt: skip

    # read once: what the session holds expires with every request
    given = {
        "filename": "x.css",
        "export_type": "csv",
        "token": card.token,
        "kind": "svg",
        "slug": "ada",
        "profile_id": profile.id,
        "name": picture,
        "key": "website",
        "lead_id": lead.id,
        "link_id": link.id,
        "address_id": address.id,
        "offer_id": offer_id,
        "line_id": line.id,
        "number": order.number,
        "page_id": written.id,
        "enquiry_id": enquiry.id,
        **catalogue,
    }

    def values(endpoint: str) -> dict[str, Any]:
        return {**given, **({"token": links[endpoint]} if endpoint in links else {}), **special.get(endpoint, {})}

    return values


def things_of_the_shop(ada: User) -> dict[str, Any]:
    """One of each thing that the catalogue's pages in the back office are about."""
    category, collection, method = seeds.create_category(), seeds.create_collection(), seeds.create_delivery_method()
    product, promotion = seeds.create_product(pictures=[(f"{1:032x}.webp", "")]), seeds.create_promotion()
    option, ours = seeds.create_option(product), seeds.create_design("Ours")
    waiting = seeds.create_design("Own artwork", is_public=False, status=DesignStatus.REQUESTED)
    review = Review(product=product, user=ada, author="Ada", rating=4)
    db.session.add_all([review, DisplayRate(currency="EUR", rate=1)])
    db.session.commit()
    return {
        "product_id": product.id,
        "picture_id": product.pictures[0].id,
        "option_id": option.id,
        "category_id": category.id,
        "collection_id": collection.id,
        "promotion_id": promotion.id,
        "method_id": method.id,
        "design_id": waiting.id,
        "own_design_id": ours.id,
        "review_id": review.id,
        "currency": "EUR",
    }


def paid_order(ada: User, picture: str) -> dict[str, dict[str, Any]]:
    """A paid order of a card with artwork, for the pages of the back office that are about one."""
    cart = buying.cart_of(ada)
    buying.fill(cart, seeds.create_product("Own card", kind=ProductKind.CARD), front_picture=picture)
    order = buying.place(cart)
    db.session.commit()
    payment = buying.pay(order)
    own = {"number": order.number, "line_id": order.lines[0].id, "token": order.lines[0].cards[0].token}
    own = {**own, "name": picture, "public_id": payment.public_id, "user_id": ada.id}
    return {f"backoffice.{name}": own for name in (
        "order", "ship_order", "cancel_order", "extend_order", "note_order", "take_payment", "dismiss_payment",
        "order_file", "order_cards", "order_cards_csv", "order_card_qr", "delivery_note", "give_credit",
        "process_order", "deliver_order", "give_order", "produce_line", "swap_card",
    )}  # fmt: skip


@pytest.fixture
def browser(
    request: pytest.FixtureRequest,
    app: Flask,
    new_client: Callable[[], FormClient],
    create_user: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], FormClient]:
    """The browser of somebody of a role, signed in."""

    def make(role: str) -> FormClient:
        name, _comma, state = role.partition(", ")
        client = new_client()
        db.session.commit()
        if name == "nobody":
            return client
        is_cast = name in ROLES
        user = request.getfixturevalue(name) if is_cast else create_user(f"{name}@example.com", roles=[name])
        if state == "unverified":
            user.verified_at = None
        if state == "where staff need two factors":
            config = dataclasses.replace(app.config["TAPCARD"], requires_staff_two_factor=True)
            monkeypatch.setitem(app.config, "TAPCARD", config)
        login(client, user)
        return client

    return make


@pytest.fixture
def browsers(browser: Callable[[str], FormClient]) -> Callable[..., list[FormClient]]:
    """A browser for each role."""
    return lambda *roles: [browser(role) for role in roles]


def rules(app: Flask, *, sending: bool) -> Iterator[Rule]:
    """Each address that can be looked at, or sent to."""
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"OPTIONS"}
        if bool(methods - {"GET", "HEAD"}) if sending else "GET" in methods:
            yield rule


def path_of(app: Flask, rule: Rule, values: dict[str, Any]) -> str:
    given = {name: value for name, value in values.items() if name in rule.arguments or name == "id"}
    built = app.url_map.bind("localhost").build(rule.endpoint, given)
    return built.removeprefix("http://localhost")


# --- who gets what ----------------------------------------------------------------------------------------------------


def wanted(role: str, *, sending: bool) -> dict[str, int]:
    """What every address answers somebody of a role."""
    like = LIKE.get(role, Like(role))
    column, answers = ROLES.index(like.whom), EVERY_SENDING if sending else EVERY_LOOKING
    found = {endpoint: each[column] for endpoint, each in answers.items()}
    return found | (like.sending if sending else like.looking)


@pytest.mark.parametrize("sending", [False, True])
def test_every_address_stands_in_the_tables(app: Flask, sending: bool) -> None:
    assert {rule.endpoint for rule in rules(app, sending=sending)} == set(wanted("nobody", sending=sending))


@pytest.mark.parametrize("role", EVERYBODY)
def test_everybody_sees_what_they_may(
    app: Flask, stage: Callable[[str], dict[str, Any]], browser: Callable[[str], FormClient], role: str
) -> None:
    client, answers = browser(role), {}
    for rule in rules(app, sending=False):
        with client.get(path_of(app, rule, stage(rule.endpoint))) as answer:
            answers[rule.endpoint] = answer.status_code
            if answer.status_code == 302 and rule.endpoint not in LEADING_ON:
                assert answer.location.startswith(AWAY), rule.endpoint
    assert answers == wanted(role, sending=False)


@pytest.mark.parametrize("role", EVERYBODY)
def test_everybody_sends_what_they_may(
    app: Flask, stage: Callable[[str], dict[str, Any]], browser: Callable[[str], FormClient], role: str
) -> None:
    client, answers = browser(role), {}
    form = {"csrf_token": client.csrf_token()}
    rows, cookies = all_rows(), dict(client._cookies)
    for rule in rules(app, sending=True):
        path = path_of(app, rule, stage(rule.endpoint))
        with statements(all_of_them=True) as asked, client.post(path, data=form) as answer:
            answers[rule.endpoint] = answer.status_code
        if writes(asked):
            put_back(rows)
            client._cookies.clear()
            client._cookies.update(cookies)
    assert answers == wanted(role, sending=True)


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_no_form_is_let_off_its_token(app: Flask) -> None:
    assert csrf._exempt_views == WITHOUT_TOKEN
    assert csrf._exempt_blueprints == set()
    assert app.config.get("WTF_CSRF_ENABLED", True)
    assert app.config.get("WTF_CSRF_CHECK_DEFAULT", True)
    assert not app.config.get("WTF_CSRF_METHODS") or set(app.config["WTF_CSRF_METHODS"]) == {
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
    }


@pytest.mark.odd
@pytest.mark.parametrize("role", ["nobody", "ada", "olu"])
def test_without_its_token_nothing_is_taken(
    app: Flask, stage: Callable[[str], dict[str, Any]], browsers: Callable[..., list[FormClient]], role: str
) -> None:
    [client] = browsers(role)
    sent = 0
    for rule in rules(app, sending=True):
        if rule.endpoint in LET_OFF:
            continue
        path = path_of(app, rule, stage(rule.endpoint))
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            answer = client.open(path, method=method, data={"csrf_token": "made up"}, csrf=False)
            assert answer.status_code == 400, path
            assert "This form has expired." in answer.text
            sent += 1
    assert sent >= len(SENDING) - len(WITHOUT_TOKEN)


def test_only_two_kinds_of_requests_do_anything(app: Flask) -> None:
    """H37: there is no programming interface besides the pages."""
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert methods == {"GET", "HEAD", "OPTIONS", "POST"}


# --- looking ----------------------------------------------------------------------------------------------------------


@pytest.mark.odd
@pytest.mark.parametrize("role", ["nobody", "ada", "ben"])
def test_looking_never_writes(
    app: Flask, stage: Callable[[str], dict[str, Any]], browsers: Callable[..., list[FormClient]], role: str
) -> None:
    [client] = browsers(role)
    for rule in rules(app, sending=False):
        path = path_of(app, rule, stage(rule.endpoint))
        for method in ("GET", "HEAD"):
            db.session.commit()
            with statements() as asked, client.open(path, method=method):
                pass
            assert writes(asked) == [], f"{method} {path}"


@pytest.mark.looks
@pytest.mark.parametrize("role", ["nobody", "ada", "ben"])
@pytest.mark.usefixtures("stage")
def test_no_page_asks_anything_of_a_third_party(browsers: Callable[..., list[FormClient]], role: str) -> None:
    [client] = browsers(role)
    found = walk(client, "/", "/dashboard", "/admin/", "/t/WAITING2", "/t/NOSUCH22", "/p/ada", "/no/such/page")
    assert len(found.statuses) > 15
    pages = [link for link in found.elsewhere if not link.startswith(("mailto:", "tel:", "otpauth:"))]
    hosts = {re.match(r"\w+:(?://)?([^/]*)", link)[1] for link in pages}  # type: ignore[index]
    assert hosts <= {"localhost", "example.com"}


# --- odd addresses ----------------------------------------------------------------------------------------------------


def odd_paths(rule: Rule, values: dict[str, Any]) -> list[str]:
    """An address with each of its parts in turn replaced by something odd."""
    template = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule))
    return [template.format(**{**values, name: odd}) for name in rule.arguments for odd in ODD_PARTS]


@pytest.mark.odd
@pytest.mark.parametrize("role", ["nobody", "ada", "ben"])
def test_an_odd_part_of_an_address_breaks_nothing(
    app: Flask, stage: Callable[[str], dict[str, Any]], browsers: Callable[..., list[FormClient]], role: str
) -> None:
    [client] = browsers(role)
    tried = 0
    for rule in rules(app, sending=False):
        if not TABLES.match(rule.endpoint) and LOOKING[rule.endpoint][ROLES.index(role)] == 200:
            for path in odd_paths(rule, stage(rule.endpoint)):
                with client.get(path) as answer:
                    assert answer.status_code < 500, f"GET {path}"
                tried += 1
    assert tried > 100


@pytest.mark.odd
def test_an_odd_address_to_send_to_breaks_nothing(
    app: Flask, stage: Callable[[str], dict[str, Any]], browsers: Callable[..., list[FormClient]]
) -> None:
    [client] = browsers("ada")
    token = client.csrf_token()
    for rule in rules(app, sending=True):
        if not TABLES.match(rule.endpoint):
            for path in odd_paths(rule, stage(rule.endpoint)):
                assert client.post(path, data={"csrf_token": token}, csrf=False).status_code < 500, f"POST {path}"


@pytest.mark.parametrize("path", ["/t/{}", "/q/{}", "/card/{}/", "/activate/{}", "/p/{}", "/profile/slug/{}/"])
@pytest.mark.parametrize("odd", ODD_PARTS)
def test_an_odd_address_on_plastic_has_a_page(client: FormClient, path: str, odd: str) -> None:
    with client.get(path.format(odd)) as answer:
        assert answer.status_code in (301, 308, 404)


@pytest.mark.odd
def test_an_odd_question_breaks_no_page(
    app: Flask, stage: Callable[[str], dict[str, Any]], browsers: Callable[..., list[FormClient]]
) -> None:
    [client] = browsers("ben")
    paths = [
        path_of(app, rule, stage(rule.endpoint))
        for rule in rules(app, sending=False)
        if not TABLES.match(rule.endpoint)
    ]
    for odd in (*ODD, "page=2", "//evil.example", "/\t/evil.example", "javascript:alert(1)"):
        query = dict.fromkeys(("page", "next", "card", "token", "id", "sure", "search"), odd)
        for path in paths:
            with client.get(path, query_string=query) as answer:
                assert answer.status_code < 500, f"{path} asked {odd!r}"
                assert "evil.example" not in (answer.location or "")


def test_other_peoples_numbers_open_nothing(
    browsers: Callable[..., list[FormClient]], profile: Profile, card: Card
) -> None:
    [client] = browsers("cleo")
    for number in range(max(profile.id - 3, 0), profile.id + 4):
        for path in (f"/profiles/{number}", f"/profiles/{number}/delete"):
            assert client.get(path).status_code == 404
            assert client.post(path).status_code == 404
    assert cards.find(card.token) is not None
