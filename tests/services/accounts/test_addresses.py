"""Postal addresses: validation, the default address and ownership."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import postcodes, seeds
from tapcard.countries import countries
from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.models import Address, User
from tapcard.services.accounts import addresses
from tapcard.services.accounts.addresses import AddressNotFound, TooManyAddresses
from tests.concurrency import run_concurrently

GOOD = {"name": "Ada Obi", "line1": "1 High Street", "city": "London", "postal_code": "n1 9gu", "country": "GB"}


def default_ids(user: User) -> list[int]:
    return list(db.session.scalars(sa.select(Address.id).where(Address.user_id == user.id, Address.is_default)))


def test_an_address_is_stored_in_normal_form(ada: User) -> None:
    address = addresses.add(ada, {**GOOD, "name": "  Ada   Obi ", "phone": "020 7946 0000"})
    assert (address.name, address.postal_code, address.phone) == ("Ada Obi", "N1 9GU", "+442079460000")
    assert address.is_default


@pytest.mark.parametrize(
    ("field", "text"),
    [("name", ""), ("line1", " "), ("city", ""), ("country", ""), ("country", "XX"), ("country", "EU"),
     ("country", "001"), ("postal_code", ""), ("postal_code", "12345"), ("postal_code", "N1 9GU" * 9),
     ("phone", "twelve"), ("phone", "+44 1"), ("line1", "x" * 101), ("region", "x" * 101)],
)  # fmt: skip
def test_an_invalid_address_is_refused_at_its_field(ada: User, field: str, text: str) -> None:
    with pytest.raises(DomainError) as refused:
        addresses.add(ada, {**GOOD, field: text})
    assert (refused.value.field, refused.value.status) == (field, 422)


@pytest.mark.parametrize(
    ("country", "code", "stored"),
    [("US", "94105-1234", "94105-1234"), ("NL", "1012 ab", "1012 AB"), ("HK", "", ""), ("IE", "d02 af30", "D02 AF30")],
)
def test_postal_codes_of_other_countries_are_accepted(ada: User, country: str, code: str, stored: str) -> None:
    values = {**GOOD, "country": country, "region": "There", "postal_code": code}
    assert addresses.add(ada, values).postal_code == stored


@pytest.mark.parametrize(
    ("country", "name", "missing", "wrong"),
    [("GB", "Postcode", "Enter a postcode.", "That postcode isn't valid for the United Kingdom."),
     ("US", "ZIP code", "Enter a ZIP code.", "That ZIP code isn't valid for the United States."),
     ("DE", "Postal code", "Enter a postal code.", "That postal code isn't valid for Germany.")],
)  # fmt: skip
def test_the_postal_code_has_the_name_used_in_its_country(country: str, name: str, missing: str, wrong: str) -> None:
    assert postcodes.terms(country)[0] == name
    for code, message in (("", missing), ("?", wrong)):
        with pytest.raises(addresses.InvalidAddress) as refused:
            addresses.clean_postal_code(code, country)
        assert (refused.value.field, str(refused.value)) == ("postal_code", message)


@pytest.mark.parametrize(
    ("country", "prompt"),
    [("US", "Enter the state."), ("CA", "Enter the province."), ("NG", "Enter the state."),
     ("JP", "Enter the prefecture."), ("IT", "Enter the province."), ("AE", "Enter the emirate.")],
)  # fmt: skip
def test_a_region_is_required_in_countries_whose_addresses_need_one(ada: User, country: str, prompt: str) -> None:
    for nothing in ("", "  "):
        with pytest.raises(addresses.InvalidAddress) as refused:
            addresses.clean_all({**GOOD, "country": country, "region": nothing, "postal_code": "94105"})
        assert (refused.value.field, refused.value.message) == ("region", prompt)


@pytest.mark.parametrize("country", ["GB", "IE", "DE", "FR", "NL", "GH"])
def test_a_region_is_optional_in_other_countries(ada: User, country: str) -> None:
    code = {"GB": "N1 9GU", "DE": "10115", "FR": "75001", "NL": "1012 AB"}.get(country, "")
    assert addresses.clean_all({**GOOD, "country": country, "postal_code": code})["region"] == ""


def test_every_country_with_regions_exists_and_is_listed_once() -> None:
    codes = [code for _name, _prompt, some in addresses.REGIONS.values() for code in some.split()]
    assert len(codes) == len(set(codes)) == len(addresses.REGION_NAMES)
    assert set(codes) <= set(dict(countries("en")))


@pytest.mark.parametrize(("country", "code"), [("US", "9410"), ("DE", "1011"), ("HK", "<b>"), ("DE", "１０１１５")])
def test_an_invalid_postal_code_is_refused(country: str, code: str) -> None:
    with pytest.raises(addresses.InvalidAddress):
        addresses.clean_postal_code(code, country)


def test_there_is_always_one_default_address(ada: User, cleo: User) -> None:
    """H45"""
    hers = seeds.create_address(cleo)
    first, second, third = (seeds.create_address(ada) for _number in range(3))
    assert default_ids(ada) == [first.id]
    addresses.make_default(ada, third)
    assert default_ids(ada) == [third.id]
    addresses.delete(ada, second)
    assert default_ids(ada) == [third.id]
    addresses.delete(ada, third)
    assert default_ids(ada) == [first.id]
    addresses.delete(ada, first)
    assert default_ids(ada) == []
    assert default_ids(cleo) == [hers.id]


def test_a_user_has_at_most_twenty_addresses(ada: User) -> None:
    for _number in range(20):
        seeds.create_address(ada)
    with pytest.raises(TooManyAddresses):
        addresses.add(ada, GOOD)


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30, 999999])
def test_an_unknown_address_id_is_not_found(ada: User, number: int) -> None:
    with pytest.raises(AddressNotFound):
        addresses.get_own_address(ada, number)


def test_an_address_of_another_user_is_not_found(ada: User, cleo: User) -> None:
    hers = seeds.create_address(cleo)
    actions: list[Any] = [
        lambda: addresses.get_own_address(ada, hers.id),
        lambda: addresses.update(ada, hers, GOOD),
        lambda: addresses.make_default(ada, hers),
        lambda: addresses.delete(ada, hers),
    ]
    for action in actions:
        with pytest.raises(AddressNotFound):
            action()


def test_concurrent_first_addresses_leave_one_default(app: Flask, ada: User) -> None:
    user_id = ada.id
    run_concurrently(app, 4, lambda _place: addresses.add(db.session.get_one(User, user_id), GOOD).id)
    assert len(default_ids(ada)) == 1


def test_concurrent_additions_never_exceed_the_maximum(app: Flask, ada: User) -> None:
    for _number in range(18):
        seeds.create_address(ada)
    user_id = ada.id
    results = run_concurrently(app, 4, lambda _place: addresses.add(db.session.get_one(User, user_id), GOOD).id)
    assert results.count(TooManyAddresses) == 2


def test_concurrent_changes_of_the_default_leave_one_default(app: Flask, ada: User) -> None:
    ids, user_id = [seeds.create_address(ada).id for _number in range(4)], ada.id

    def change_default(place: int) -> None:
        user = db.session.get_one(User, user_id)
        address = addresses.get_own_address(user, ids[place])
        (addresses.delete if place % 2 else addresses.make_default)(user, address)

    run_concurrently(app, 4, change_default)
    assert len(default_ids(ada)) == 1
    assert default_ids(ada)[0] in (ids[0], ids[2])
