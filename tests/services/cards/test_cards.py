"""Cards: finding and editing them, and what the database refuses."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    Card,
    CardStatus,
    Profile,
    Target,
    User,
)
from tapcard.services.cards import cards, claims, target_urls, transitions
from tapcard.services.cards.cards import AliasTaken, CardNotFound, UrlRequired


def edit(card: Card, user: User, **changes: Any) -> None:
    values: dict[str, Any] = {
        "alias": card.alias or "",
        "target": card.target,
        "reroute_url": card.reroute_url or "",
        "profile": card.profile,
    }
    cards.edit(card, user, cards.CardChanges(**{**values, **changes}), own_hosts={"localhost"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "active"},
        {"status": "unclaimed", "owner_id": 1},
        {"status": "locked"},
        {"locked_because": "lost"},
        {"locked_because": "bored"},
        {"status": "stolen"},
        {"target": "moon"},
        {"claim_policy": "steal"},
        {"status": "active", "owner_id": 1, "claim_code": "sealed"},
        {"token": "lowercase"},
        {"token": "ADASCARD"},
        {"token": None},
        {"owner_id": 999_999, "status": "active"},
        {"design_id": 999_999},
        {"profile_id": 999_999},
    ],
    ids=str,
)
def test_the_database_refuses_invalid_rows(card: Card, ada: User, wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"token": "OTHER", "status": "unclaimed", "claim_policy": "code", "is_blocked": False}
    values = {**good, "imported_tap_count": 0, "created_at": card.created_at.replace(tzinfo=None), **wrong}
    if values.get("owner_id") == 1:
        values["owner_id"] = ada.id
    columns, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.text(f"INSERT INTO cards ({columns}) VALUES ({places})"), values)


# --- finding ----------------------------------------------------------------------------------------------------------


def test_a_holder_finds_only_their_own_cards(
    card: Card, create_card: Callable[..., Card], ada: User, cleo: User
) -> None:
    create_card(ada, token="OLDCARD2", status=CardStatus.RETIRED)
    assert cards.own_card(ada, "adascard") is card
    for user, token in ((cleo, "ADASCARD"), (ada, "OLDCARD2"), (ada, ""), (ada, "NOSUCH"), (ada, "ADASCARD\0")):
        with pytest.raises(CardNotFound) as refusal:
            cards.own_card(user, token)
        assert refusal.value.status == 404
    assert list(db.session.scalars(cards.owned_by(ada))) == [card]


# --- targets ----------------------------------------------------------------------------------------------------------


def test_a_target_address_is_stored_in_normal_form(card: Card, ada: User) -> None:
    edit(card, ada, target=Target.URL, reroute_url=" Müller.example/Straße ")
    assert card.reroute_url == "https://xn--mller-kva.example/Stra%C3%9Fe"
    assert card.reroute_host == "xn--mller-kva.example"


@pytest.mark.parametrize("url", ["", "   ", "\t\n"])
def test_the_target_url_requires_an_address(card: Card, ada: User, url: str) -> None:
    with pytest.raises(UrlRequired, match=r"^Enter a web address\.$"):
        edit(card, ada, target=Target.URL, reroute_url=url)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://localhost/t/ADASCARD", "ftp://example.com"])
def test_an_invalid_target_address_is_refused(card: Card, ada: User, url: str) -> None:
    with pytest.raises(target_urls.InvalidUrl):
        edit(card, ada, target=Target.URL, reroute_url=url)
    assert card.reroute_url == "https://example.com/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("later.example", "https://later.example"),
        ("javascript:alert(1)", "https://example.com/"),
        ("", None),
    ],
)
def test_a_valid_address_is_stored_for_later_with_another_target(
    card: Card, ada: User, profile: Profile, text: str, expected: str | None
) -> None:
    edit(card, ada, target=Target.PROFILE, profile=profile, reroute_url=text)
    assert (card.target, card.profile, card.reroute_url) == (Target.PROFILE, profile, expected)


def test_choosing_an_address_keeps_the_profile(card: Card, ada: User, profile: Profile) -> None:
    edit(card, ada, target=Target.PROFILE, profile=profile)
    edit(card, ada, target=Target.URL, profile=None)
    assert (card.target, card.profile) == (Target.URL, profile)


def test_a_card_name_can_be_removed(card: Card, ada: User) -> None:
    edit(card, ada, alias="  ")
    assert card.alias is None


@pytest.mark.parametrize("alias", ["Everyday", "EVERYDAY", " everyday ", "ÉCOLE", "straSSe"])
def test_card_names_of_one_holder_are_unique(
    card: Card, create_card: Callable[..., Card], ada: User, alias: str
) -> None:
    create_card(ada, alias="école")
    create_card(ada, alias="Straße")
    other_card = create_card(ada, alias="Other")
    with pytest.raises(AliasTaken, match=r"^You already have a card with this name\.$"):
        edit(other_card, ada, alias=alias)
    assert other_card.alias == "Other"


def test_a_card_can_keep_its_own_name(card: Card, ada: User) -> None:
    edit(card, ada, alias="EVERYDAY")
    assert card.alias == "EVERYDAY"


def test_two_holders_can_use_the_same_card_name(card: Card, create_card: Callable[..., Card], cleo: User) -> None:
    other_card = create_card(cleo)
    edit(other_card, cleo, alias="Everyday")
    assert other_card.alias == "Everyday"


def test_a_card_released_meanwhile_cannot_be_edited(card: Card, ada: User, keys: Keys) -> None:
    claims.release(card, ada, keys)  # after the page was loaded
    with pytest.raises(CardNotFound):
        edit(card, ada, target=Target.URL, reroute_url="https://evil.example/", alias="Mine")
    with pytest.raises(CardNotFound):
        edit(card, ada, target=Target.PROFILE)
    assert (card.alias, card.target, card.reroute_url) == (None, None, None)


def test_a_retired_card_cannot_be_edited(card: Card, ada: User, profile: Profile) -> None:
    transitions.retire(card, None, "worn out")
    with pytest.raises(CardNotFound):
        edit(card, ada, alias="Mine")
    with pytest.raises(CardNotFound):
        cards.point_to_profile(card, profile, ada)
