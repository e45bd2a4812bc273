"""Postal codes: formats and names by country."""

import pytest

from tapcard import postcodes
from tapcard.countries import countries


@pytest.mark.parametrize(
    ("country", "code"),
    [("GB", "N1 9GU"), ("GB", "N19GU"), ("US", "94105-1234"), ("NL", "1012 AB"), ("DE", "10115"), ("IE", "D02 AF30")],
)
def test_valid_codes(country: str, code: str) -> None:
    assert postcodes.is_valid(code, country)


@pytest.mark.parametrize(
    ("country", "code"),
    [("GB", "12345"), ("US", "9410"), ("DE", "1011"), ("DE", "１０１１５"), ("HK", "<b>"), ("IE", "X" * 21)],
)
def test_invalid_codes(country: str, code: str) -> None:
    assert not postcodes.is_valid(code, country)


def test_codes_are_required_where_every_address_has_one() -> None:
    assert postcodes.is_required("GB")
    assert not postcodes.is_required("HK")


def test_each_country_of_the_tables_exists_and_has_one_term() -> None:
    codes = [code for *_terms, some in postcodes.TERMS.values() for code in some.split()]
    assert len(codes) == len(set(codes))
    assert {*codes, *postcodes.PATTERNS} <= set(dict(countries("en")))
    assert [postcodes.terms(country)[0] for country in ("GB", "US", "DE")] == ["Postcode", "ZIP code", "Postal code"]
