"""Production and packing of orders in the back office."""

import re
from collections.abc import Callable

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    DeliveryKind,
    DeliveryMethod,
    Design,
    Order,
    OrderStatus,
    Product,
    ProductionStatus,
    ProductKind,
    User,
)
from tapcard.services.cards import claims
from tests import purchases
from tests.admin.orders.conftest import listed, path_to
from tests.conftest import FormClient, login
from tests.pages import words_of
from tests.purchases import create_order, pay


def test_a_production_step_is_refused_when_the_line_has_changed(ben_client: FormClient, card_order: Order) -> None:
    [line] = card_order.lines
    path = path_to(card_order, f"/lines/{line.id}/produce")
    assert ben_client.post(path, data={"status": "printed", "was": "queued"}).location == path_to(
        card_order, f"#line-{line.id}"
    )
    assert ben_client.post(path, data={"status": "printed", "was": "queued"}).status_code == 409
    for data in ({"status": "burnt", "was": "printed"}, {"status": "adhered"}, {}):
        assert ben_client.post(path, data=data).status_code == 400
    assert line.production_status is ProductionStatus.PRINTED
    assert "Some cards in this order aren't packed yet." in words_of(ben_client.get(path_to(card_order, "/ship")).text)
    for was, status in (("printed", "adhered"), ("adhered", "packed"), ("packed", "adhered"), ("adhered", "packed")):
        assert ben_client.post(path, data={"status": status, "was": was}).status_code == 302
    assert listed(ben_client, "?show=to_ship") == [card_order.number]
    ben_client.post(path_to(card_order, "/ship"))
    assert ben_client.post(path, data={"status": "queued", "was": "packed"}).status_code == 409


def test_only_card_lines_of_the_paid_order_are_produced(
    ben_client: FormClient,
    card_order: Order,
    order: Order,
    ada: User,
    create_product: Callable[..., Product],
    design: Design,
) -> None:
    [line] = card_order.lines
    pay(order)
    press = {"status": "printed", "was": "queued"}
    assert ben_client.post(path_to(order, f"/lines/{line.id}/produce"), data=press).status_code == 404
    assert ben_client.post(path_to(order, f"/lines/{order.lines[0].id}/produce"), data=press).status_code == 409
    cart = purchases.create_cart(ada)
    purchases.fill(cart, create_product(kind=ProductKind.CARD), design=design)
    unpaid = purchases.place(cart)
    db.session.commit()
    assert ben_client.post(path_to(unpaid, f"/lines/{unpaid.lines[0].id}/produce"), data=press).status_code == 409


def test_only_staff_can_download_artwork(
    ben_client: FormClient, card_order: Order, order: Order, ada: User, new_client: Callable[[], FormClient]
) -> None:
    links = re.findall(r'href="(/admin/orders/[^"]+/files/[^"]+)"', ben_client.get(path_to(card_order)).text)
    assert len(links) == 2
    hers = new_client()
    login(hers, ada)
    for link, side in zip(links, ("front", "rear"), strict=True):
        answer = ben_client.get(link)
        assert (answer.status_code, answer.data, answer.mimetype) == (200, side.encode(), "image/webp")
        name = answer.headers["Content-Disposition"]
        assert re.fullmatch(rf'attachment; filename="{card_order.number}-1-{side}-\d\.webp"', name)
        assert hers.get(link).status_code == 404
        assert new_client().get(link).status_code == 302
        assert ben_client.get(link.replace(card_order.number, order.number)).status_code == 404


def test_the_packing_page_has_tokens_codes_and_qr_codes(ben_client: FormClient, card_order: Order, keys: Keys) -> None:
    one, two = card_order.lines[0].cards
    code = claims.read_claim_code(one, keys)
    page = ben_client.get(path_to(card_order, "/cards")).text
    assert code is not None
    assert code in page
    assert f"http://localhost/t/{two.token}" in page
    rows = ben_client.get(path_to(card_order, "/cards.csv")).text.splitlines()
    addresses = f"http://localhost/t/{one.token},http://localhost/q/{one.token}"
    assert rows[1] == f"Own card,Own artwork,{one.token},{addresses},{code}"
    for kind, mimetype in (("svg", "image/svg+xml"), ("png", "image/png")):
        assert ben_client.get(path_to(card_order, f"/cards/{one.token}/qr.{kind}")).mimetype == mimetype
    assert ben_client.get(path_to(card_order, f"/cards/{one.token}/qr.gif")).status_code == 404
    assert ben_client.get(path_to(card_order, "/cards/ADASCARD/qr.svg")).status_code == 404


def test_designs_of_one_card_are_distinguished_in_production_and_packing(
    ben_client: FormClient, ada: User, create_design: Callable[..., Design]
) -> None:
    lake, ember = create_design("Lake at dusk"), create_design("Ember ridge")
    order = purchases.order_designs(ada, lake, ember)
    lake.name = ember.name = "Renamed"
    db.session.commit()
    lines = {line.design_name: line.cards[0].token for line in order.lines}
    assert set(lines) == {"Lake at dusk", "Ember ridge"}
    pages = {path: words_of(ben_client.get(path_to(order, path)).text) for path in ("", "/delivery-note", "/cards")}
    for name, token in lines.items():
        assert f"Design: {name}" in pages[""]
        assert f"Metal card · {name}" in pages["/delivery-note"]
        assert f"{token} Metal card · {name}" in pages["/cards"]
        assert f"Metal card,{name},{token}," in ben_client.get(path_to(order, "/cards.csv")).text
    assert "Renamed" not in "".join(pages.values())


def test_a_delivery_note_has_no_prices(ben_client: FormClient, order: Order, card_order: Order) -> None:
    page = ben_client.get(path_to(order, "/delivery-note")).text
    words = words_of(page)
    for text in (order.number, "Gus Lind", "1 High Street", "N1 9GU", "United Kingdom", "2 Steel bottle"):
        assert text in words
    assert "£" not in page


def test_a_pickup_order_is_marked_as_collected(
    ben_client: FormClient, ada: User, product: Product, create_delivery_method: Callable[..., DeliveryMethod]
) -> None:
    method = create_delivery_method("Market", DeliveryKind.PICKUP, locations=["Stand 4"])
    order = create_order(ada, product, method=method, location="Stand 4")
    pay(order)
    page = words_of(ben_client.get(path_to(order)).text)
    assert "Mark as collected" in page
    assert "Stand 4" in page
    ben_client.post(path_to(order, "/deliver"))
    assert order.status is OrderStatus.DELIVERED
