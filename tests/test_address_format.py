"""Addresses as lines of text, in the form of their country."""

import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from tapcard import seeds
from tapcard.address_format import address_lines
from tapcard.countries import countries
from tapcard.models import User

PARTS = ("city", "region", "postal_code")


def lines_of(country: str, *parts: str, **more: str) -> list[str]:
    """Return the lines of an address in a country between the street and the country."""
    address = {"name": "Ada Lind", "line1": "1 High Street", **dict(zip(PARTS, parts, strict=True)), **more}
    recipient, street, *lines, _country = address_lines({**address, "country": country}, "en_GB")
    assert (recipient, street) == ("Ada Lind", "1 High Street")
    return lines


@pytest.mark.parametrize(
    ("country", "parts", "lines"),
    [
        ("GB", ("London", "", "N1 9GU"), ["London", "N1 9GU"]),
        ("GB", ("Guildford", "Surrey", "GU1 4QW"), ["Guildford", "Surrey", "GU1 4QW"]),
        ("IE", ("Dublin", "", "D02 AF30"), ["Dublin", "D02 AF30"]),
        ("DE", ("Berlin", "", "10115"), ["10115 Berlin"]),
        ("FR", ("Paris", "", "75001"), ["75001 Paris"]),
        ("NL", ("Amsterdam", "", "1012 AB"), ["1012 AB Amsterdam"]),
        ("SE", ("Stockholm", "", "111 22"), ["111 22 Stockholm"]),
        ("CH", ("Zürich", "", "8001"), ["8001 Zürich"]),
        ("IT", ("Bologna", "BO", "40121"), ["40121 Bologna BO"]),
        ("ES", ("Girona", "", "17001"), ["17001 Girona"]),
        ("US", ("San Francisco", "CA", "94105"), ["San Francisco, CA 94105"]),
        ("US", ("San Francisco", "", "94105"), ["San Francisco 94105"]),
        ("PR", ("San Juan", "", "00901"), ["San Juan PR 00901"]),
        ("CA", ("Ottawa", "ON", "K1A 0B1"), ["Ottawa ON K1A 0B1"]),
        ("AU", ("Sydney", "NSW", "2000"), ["Sydney NSW 2000"]),
        ("JP", ("Chiyoda-ku", "Tokyo", "100-0001"), ["Chiyoda-ku, Tokyo", "100-0001"]),
        ("SG", ("Singapore", "", "018956"), ["Singapore 018956"]),
        ("HK", ("Central", "Hong Kong Island", ""), ["Central", "Hong Kong Island"]),
        ("AE", ("Dubai", "Dubai", ""), ["Dubai", "Dubai"]),
        ("NG", ("Ibadan", "Oyo", "200211"), ["Ibadan 200211", "Oyo"]),
        ("GH", ("Accra", "", ""), ["Accra"]),
        ("AO", ("Luanda", "", ""), ["Luanda"]),
        ("MZ", ("Maputo", "Maputo City", "1100"), ["1100 Maputo Maputo City"]),
    ],
)
def test_town_region_and_postal_code_are_where_the_country_expects_them(
    country: str, parts: tuple[str, str, str], lines: list[str]
) -> None:
    assert lines_of(country, *parts) == lines


def test_every_line_of_a_full_address_is_written_once() -> None:
    address = {"name": "Ada Lind", "company": "Lind & Co", "line1": "Flat 2", "line2": "1 High Street",
               "city": "London", "region": "", "postal_code": "N1 9GU", "country": "GB", "phone": "1"}  # fmt: skip
    assert address_lines(address, "de") == [
        *("Ada Lind", "Lind & Co", "Flat 2", "1 High Street", "London", "N1 9GU", "Vereinigtes Königreich")
    ]
    assert address_lines({**address, "country": "FR"}, "fr")[:2] == ["Lind & Co", "Ada Lind"]


@pytest.mark.parametrize("country", [code for code, _name in countries("en")])
def test_no_part_is_lost_in_any_country(country: str) -> None:
    address = {name: f"<{name}>" for name in ("name", "company", "line1", "line2", "city", "region", "postal_code")}
    text = "\n".join(address_lines({**address, "country": country}, "en"))
    assert [text.count(part) for part in address.values()] == [1] * len(address)
    assert "%" not in text


def test_an_address_without_parts_is_its_country() -> None:
    assert address_lines({"name": "", "city": None, "country": "GB"}, "en_GB") == ["United Kingdom"]
    assert address_lines({}, "en_GB") == []


# --- on pages ---------------------------------------------------------------------------------------------------------


def test_a_saved_address_and_that_of_an_order_are_written_alike(app: Flask, ada: User) -> None:
    address = seeds.create_address(ada)
    macro = '{% from "macros/addresses.html" import written %}{{ written(address) }}'
    with app.test_request_context("/"):
        saved, sold = (render_template_string(macro, address=each) for each in (address, address.parts))
    assert re.sub(r"<[^>]+>", " ", saved).split("\n") == re.sub(r"<[^>]+>", " ", sold).split("\n")
    words = " ".join(re.sub(r"<[^>]+>", " ", saved).split())
    assert words == f"{ada.full_name} 1 High Street London N1 9GU United Kingdom"


def test_no_template_puts_an_address_together() -> None:
    templates = Path(__file__).parent.parent / "tapcard" / "templates"
    assert [path.name for path in templates.rglob("*.*") if "postal_code" in path.read_text()] == ["addresses.html"]
    assert "address.postal_code" not in (templates / "macros" / "addresses.html").read_text()
    joined_by_hand = re.compile(r"\.(?:line1|city)\b[^\]]*\]\s*\|\s*join")
    assert [path.name for path in templates.rglob("*.*") if joined_by_hand.search(path.read_text())] == []
