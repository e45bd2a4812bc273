"""The shop's word for tax, on every page and in every email that shows tax."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import tapcard
from tapcard import worker
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import OutboxMessage, Product, User
from tests.conftest import FormClient, login
from tests.pages import words_of
from tests.shop.conftest import GUEST, fill, give_details, order_now, press, the_order

PACKAGE = Path(tapcard.__file__).parent


@pytest.mark.parametrize("word", ["VAT", "GST"])
def test_every_page_and_email_uses_the_shops_word(
    client: FormClient,
    new_client: Callable[[], FormClient],
    olu: User,
    bottle: Product,
    set_setting: Callable[[str, Any], None],
    create_delivery_method: Callable[..., Any],
    mailbox: Callable[[], list[Any]],
    word: str,
) -> None:
    set_setting("tax_word", word)
    create_delivery_method()
    fill(client, bottle)
    texts = {"cart": client.get("/cart").text}
    give_details(client, **GUEST)
    texts["review"] = client.get("/checkout/review").text
    press(client, order_now(client))
    path = f"/orders/{the_order().number}"
    texts |= {page: client.get(path + page).text for page in ("", "/receipt")}
    staff = new_client()
    login(staff, olu)
    texts["back office"] = staff.get(f"/admin{path}").text
    db.session.execute(sa.update(OutboxMessage).values(due_at=utcnow()))
    db.session.commit()
    while worker.deliver_due():
        pass
    for message in mailbox():
        for kind in ("plain", "html"):
            texts[f"{message['Subject']} to {message['To']}, {kind}"] = message.get_body((kind,)).get_content()
    assert len(texts) == 5 + 2 * 2
    for name, text in texts.items():
        assert f"{word} included" in words_of(text), name
    assert f"{word} rate (%)" in words_of(staff.get(f"/admin/products/{bottle.id}").text)
    assert f"include any {word} that applies" in words_of(client.get("/terms").text)


def test_no_page_has_a_word_of_its_own() -> None:
    fixed = re.compile(r"\b(VAT|GST|MwSt|[Ss]ales tax)\b")
    paths = [path for kind in ("py", "html", "txt", "js") for path in PACKAGE.rglob(f"*.{kind}")]
    found = {path.relative_to(PACKAGE).as_posix() for path in paths if fixed.search(path.read_text())}
    assert found == {"settings.py"}
