"""Normalization of searched text."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

import tapcard
from tapcard import search_text
from tapcard.db import db

PACKAGE = Path(tapcard.__file__).parent

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


@pytest.mark.parametrize("text", [*SAMPLES, "Ærø Þór", "ΟΔΟΣ", "ﬁn", "שָׁלוֹם", "ẞ", "naïve\nÖRE 100%_\\"])
def test_the_database_indexes_columns_in_the_same_way(app: Flask, text: str) -> None:
    indexed = db.session.scalar(sa.select(search_text.indexed(sa.literal(text))))
    assert indexed is not None
    assert set(indexed.split("\n")) == set(search_text.index(text).split("\n"))


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("muller", True),
        ("MUELLER rené", True),
        ("rene cards", True),
        ("100%", True),
        ("10%", False),
        ("a_b", True),
        ("c\\d", True),
        ("c\\\\d", False),
        ("a%b", False),
        ("aXb", False),
        ("rene nobody", False),
        ("", True),
    ],
)
def test_every_word_is_found_in_some_column(app: Flask, typed: str, is_found: bool) -> None:
    columns = [sa.literal(text) for text in ("René Müller", "card 100% a_b c\\d")]
    condition = search_text.matches(typed, sa.null(), *columns)
    assert bool(db.session.scalar(sa.select(sa.literal(1)).where(condition))) is is_found


def test_columns_are_indexed_once_for_all_words(app: Flask) -> None:
    """Indexing takes most of the time of a search."""
    condition = search_text.matches("a b c d e f g h", sa.literal("Grüße"))
    statement = str(sa.select(sa.literal(1)).where(condition).compile(db.engine))
    assert len(re.findall(r"search_index\(|octet_length\(", statement)) == 1


def test_no_other_module_compares_text_in_a_way_of_its_own() -> None:
    own = re.compile(r"\.i?like\(|\.icontains\(|func\.lower\(|parse_like_term")
    paths = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if own.search(path.read_text())}
    assert paths == {"search_text.py"}
