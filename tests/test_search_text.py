"""Normalization of searched text."""

import importlib
from typing import Any

import pytest

from tapcard import search_text

SAMPLES = (
    "Café",
    "Grüße",
    "GRÖSSE",
    "Smørrebrød",
    "Åland",
    "Cafe\u0301",
    "Ångström",
    "Łódź",
    "İzmir",
    "½ l",
    "journal",
    "",
)


@pytest.mark.parametrize(
    ("stored", "search"),
    [
        ("Café au lait", "cafe"),
        ("Cafe", "CAFÉ"),
        ("Cafe\u0301", "Café"),  # decomposed
        ("Straße", "strasse"),
        ("Strasse", "STRAßE"),
        ("Grüner Becher", "gruner"),
        ("Grüner Becher", "gruener"),
        ("Grüner Becher", "GRÜNER"),
        ("Smørrebrød", "smorrebrod"),
        ("Smørrebrød", "smoerrebroed"),
        ("Åland", "aland"),
        ("Åland", "Aaland"),
        ("Kærlighed", "kaerlighed"),
        ("Lagoon bottle", "Bottles"),
        ("Bottles", "bottle"),
        ("Glass", "glass"),
        ("İzmir", "izmir"),
        ("Journal A5", "a5 journals"),
    ],
)
def test_a_word_is_found_in_any_spelling(stored: str, search: str) -> None:
    text = search_text.index(stored)
    assert all(word in text for word in search_text.words(search, 8)), text


@pytest.mark.parametrize(("stored", "search"), [("Shop", "shoe"), ("Glas", "glass"), ("Bu", "bus")])
def test_other_words_are_not_found(stored: str, search: str) -> None:
    assert not all(word in search_text.index(stored) for word in search_text.words(search, 8))


def test_only_the_first_words_are_used() -> None:
    assert search_text.words("one two three", 2) == ["one", "two"]


def test_the_migration_normalizes_like_the_model() -> None:
    migration: Any = importlib.import_module("migrations.versions.20261201_search_text")
    assert [migration.index(text) for text in SAMPLES] == [search_text.index(text) for text in SAMPLES]
