"""Optional JavaScript enhancements of pages that work without them."""

import re
from pathlib import Path

import tapcard
from tapcard import seeds
from tapcard.db import db
from tapcard.models import Card, Product, Profile, User
from tests.conftest import FormClient, login
from tests.pages import form_to
from tests.shop.conftest import GUEST, fill, give_details, order_now, the_order

APP_JS = Path(tapcard.__file__).parent / "static" / "js" / "app.js"


def test_each_event_handler_is_bound_once() -> None:
    bound = re.findall(r'\bon\("(\w+)", "([^"]+)"', APP_JS.read_text())
    assert ("click", "[data-print]") in bound
    assert len(bound) == len(set(bound)), "a button that is bound twice acts twice"


def asked_from(client: FormClient, page: str) -> list[str]:
    """Return the URLs of pages that open as a dialog from a page, and check that each also works alone."""
    found = re.findall(r'<a [^>]*href="([^"]+)"[^>]* data-dialog-link[ >]', client.get(page).text)
    for path in found:
        asking = client.get(path).text
        question = asking.partition(" data-dialog-content>")[2].partition("</main>")[0]
        assert form_to(question, path).values.keys() >= {"csrf_token"}, path
        assert "<h1" in question
        assert f'href="{page}" data-dialog-close' in question, "the same page is gone back to"
    return found


def test_confirmations_of_the_shop_can_open_as_a_dialog(guest: FormClient, bottle: Product) -> None:
    fill(guest, bottle)
    assert asked_from(guest, "/cart") == ["/cart/clear"]
    give_details(guest, **GUEST)
    order_now(guest)
    path = f"/orders/{the_order().number}"
    assert asked_from(guest, path) == [f"{path}/cancel"]


def test_confirmations_for_holders_can_open_as_a_dialog(
    client: FormClient, ada: User, card: Card, profile: Profile
) -> None:
    lead, address = seeds.create_lead(profile), seeds.create_address(ada)
    db.session.commit()
    login(client, ada)
    assert asked_from(client, "/leads") == [f"/leads/{lead.id}/delete"]
    assert asked_from(client, "/account/addresses") == [f"/account/addresses/{address.id}/delete"]
    assert asked_from(client, f"/cards/{card.token}") == [f"/cards/{card.token}/release"]
    assert asked_from(client, f"/profiles/{profile.id}") == [f"/profiles/{profile.id}/delete"]
