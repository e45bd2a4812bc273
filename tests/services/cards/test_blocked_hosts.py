"""Blocked hosts: validation, subdomains, and the marks on cards."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db, transactions
from tapcard.errors import NotFound
from tapcard.models import BlockedHost, Card, Target, User
from tapcard.services.cards import blocked_hosts, cards
from tapcard.services.cards.blocked_hosts import InvalidHost
from tapcard.services.cards.cards import HostBlocked


def set_target(card: Card, user: User, url: str) -> None:
    cards.edit(card, user, cards.CardChanges(target=Target.URL, reroute_url=url), own_hosts=())


@pytest.fixture
def create_card_to(create_card: Callable[..., Card], ada: User) -> Callable[[str], Card]:
    """Return a function that creates a card of Ada's with a target address."""
    return lambda url: create_card(ada, url=url)


def test_blocking_a_host_marks_the_cards_that_open_it(create_card_to: Callable[[str], Card], ben: User) -> None:
    marked = [create_card_to(url) for url in ("https://evil.example/", "http://a.b.evil.example:8080/x")]
    spared = [
        create_card_to(url) for url in ("https://notevil.example/", "https://evil.example.com/", "tel:+442079460000")
    ]
    assert blocked_hosts.block_host("evil.example", ben, "phishing") == 2
    db.session.commit()
    assert [card.is_blocked for card in marked] == [True, True]
    assert [card.is_blocked for card in spared] == [False] * 3
    row = db.session.scalars(sa.select(BlockedHost)).one()
    assert (row.host, row.reason, row.blocked_by_id) == ("evil.example", "phishing", ben.id)


def test_the_block_and_the_marks_are_one_transaction(create_card_to: Callable[[str], Card], ben: User) -> None:
    card = create_card_to("https://evil.example/")
    blocked_hosts.block_host("evil.example", ben)
    db.session.rollback()
    assert not card.is_blocked
    assert not blocked_hosts.is_blocked("evil.example")


@pytest.mark.parametrize(
    "text",
    ["evil.example", " EVIL.example. ", ".evil.example", "https://evil.example/login?x=1", "evil.example:8080"],
)
def test_a_host_is_recognized_in_any_spelling(create_card_to: Callable[[str], Card], ben: User, text: str) -> None:
    card = create_card_to("https://evil.example:8080/login")
    assert blocked_hosts.block_host(text, ben) == 1
    assert blocked_hosts.is_blocked("evil.example")
    blocked_hosts.unblock_host(text, ben)
    db.session.refresh(card)
    assert not card.is_blocked


@pytest.mark.parametrize(
    ("text", "stored"), [("müller.example", "xn--mller-kva.example"), ("2001:DB8::1", "2001:db8::1")]
)
def test_a_host_is_stored_in_the_same_form_as_on_cards(app: Flask, text: str, stored: str) -> None:
    blocked_hosts.block_host(text, None)
    assert db.session.scalars(sa.select(BlockedHost.host)).all() == [stored]
    assert blocked_hosts.is_blocked(stored)


@pytest.mark.parametrize("text", ["", " ", ".", "com", "two words.example", "mailto:a@evil.example", "a\0b.example"])
def test_an_invalid_host_is_refused(app: Flask, text: str) -> None:
    for function in (blocked_hosts.block_host, blocked_hosts.unblock_host):
        with pytest.raises(InvalidHost) as refusal:
            function(text, None)
        assert refusal.value.field == "host"


def test_blocking_a_host_blocks_its_subdomains(app: Flask) -> None:
    blocked_hosts.block_host("evil.example", None)
    assert [blocked_hosts.is_blocked(host) for host in ("evil.example", "www.evil.example", "a.b.evil.example")] == [
        True
    ] * 3
    assert [
        blocked_hosts.is_blocked(host) for host in ("notevil.example", "example", "evil.example.com", "", None)
    ] == [False] * 5


def test_a_card_cannot_be_set_to_a_blocked_host(card: Card, ada: User) -> None:
    blocked_hosts.block_host("evil.example", None)
    with pytest.raises(HostBlocked) as refusal:
        set_target(card, ada, "https://www.evil.example/")
    assert refusal.value.field == "reroute_url"
    assert card.reroute_url == "https://example.com/"


def test_a_new_address_reactivates_a_blocked_card(create_card_to: Callable[[str], Card], ada: User) -> None:
    card = create_card_to("https://evil.example/")
    blocked_hosts.block_host("evil.example", None)
    db.session.commit()
    set_target(card, ada, "https://good.example/")
    assert not card.is_blocked


def test_unblocking_a_host_keeps_cards_of_a_blocked_parent_domain_blocked(
    create_card_to: Callable[[str], Card], ben: User
) -> None:
    outer, inner = create_card_to("https://evil.example/"), create_card_to("https://www.evil.example/")
    for host in ("evil.example", "www.evil.example"):
        blocked_hosts.block_host(host, ben)
    blocked_hosts.unblock_host("www.evil.example", ben)
    db.session.commit()
    assert (outer.is_blocked, inner.is_blocked) == (True, True)
    blocked_hosts.unblock_host("evil.example", ben)
    db.session.commit()
    assert (outer.is_blocked, inner.is_blocked) == (False, False)


def test_blocking_a_host_twice_changes_nothing(create_card_to: Callable[[str], Card], ben: User) -> None:
    create_card_to("https://evil.example/")
    assert [blocked_hosts.block_host("evil.example", ben) for _time in range(2)] == [1, 0]
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BlockedHost)) == 1


def test_a_host_that_is_not_blocked_cannot_be_unblocked(app: Flask) -> None:
    with pytest.raises(NotFound):
        blocked_hosts.unblock_host("good.example", None)


def test_a_concurrent_edit_waits_for_the_block_and_is_refused(
    app: Flask, create_card_to: Callable[[str], Card], ada: User
) -> None:
    card_id, ada_id = create_card_to("https://example.com/").id, ada.id
    db.session.commit()
    is_blocking, is_done = threading.Event(), threading.Event()
    results: list[str] = []

    def edit() -> None:
        with app.app_context(), transactions(writing=True):
            card, holder = db.session.get_one(Card, card_id), db.session.get_one(User, ada_id)
            db.session.commit()
            is_blocking.wait(10)
            try:
                cards.edit(
                    card,
                    holder,
                    cards.CardChanges(target=Target.URL, reroute_url="https://evil.example/"),
                    own_hosts=(),
                )
                db.session.commit()
                results.append("led there")
            except HostBlocked:
                results.append("refused")
            is_done.set()

    thread = threading.Thread(target=edit)
    thread.start()
    blocked_hosts.block_host("evil.example", None)
    is_blocking.set()
    assert not is_done.wait(0.3), "the edit waits for the block"
    db.session.commit()
    thread.join(20)
    assert results == ["refused"]
