"""Normalization of searched text: case, accents, German and Scandinavian letters, simple plurals.

`index` is applied to stored texts and `words` to searches; a word is found if it occurs in the stored text.
Big lists store the indexed text in a column; `matches` indexes other columns in the database while it searches.
"""

import re
import unicodedata
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

FOLDED = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})
SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})  # as typed without these letters
MIN_PLURAL_LENGTH = 4
MAX_WORDS = 8
LIKE_SPECIAL, ESCAPED = r"([\\%_])", r"\\\1"
MAX_COMBINING = 0x1F000


def normalize(text: str) -> str:
    """Return a text in lower case, without accents: "Grüße" becomes "grusse"."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(FOLDED))
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def index(text: str) -> str:
    """Return the text to search in: normalized, and once more with umlauts and the like spelled out if it has any."""
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFC", text).casefold()
    folded, spelled_out = normalize(composed), normalize(composed.translate(SPELLED_OUT))
    return folded if spelled_out == folded else f"{folded}\n{spelled_out}"


def words(text: str, limit: int = MAX_WORDS) -> list[str]:
    """Return the first words of a search, normalized, without a plural s."""
    return [_singular(word) for word in normalize(text).split()[:limit]]


def _singular(word: str) -> str:
    is_plural = len(word) >= MIN_PLURAL_LENGTH and word.isalpha() and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural else word


# --- columns that are not indexed -------------------------------------------------------------------------------------


class indexed(GenericFunction[str]):  # noqa: N801  named like an SQL function
    """The SQL function that indexes a text like `index`."""

    type = sa.Text()
    name = "search_index"
    inherit_cache = True


class matched(GenericFunction[bool]):  # noqa: N801  named like an SQL function
    """The SQL function that tells whether an indexed text contains all words.

    Arguments: the indexed text, the words by line, the same words as LIKE patterns by line.
    """

    type = sa.Boolean()
    name = "search_matches"
    inherit_cache = True


def declare_functions(connection: Any) -> None:
    """Declare the SQL functions of this module on a SQLite connection."""
    connection.create_function(indexed.name, 1, index, deterministic=True)
    connection.create_function(matched.name, 3, _is_match, deterministic=True)


def _is_match(indexed_text: str, lines_of_words: str, _patterns: str) -> bool:
    return all(word in indexed_text for word in lines_of_words.split("\n"))


def matches(search: str, *columns: Any) -> sa.ColumnElement[bool]:
    """Return the condition that columns, NULL or not, together contain every word of a search."""
    searched = words(search)
    if not searched:
        return sa.true()
    first, *others = (sa.func.coalesce(sa.cast(column, sa.Text), "") for column in columns)
    text: sa.ColumnElement[str] = first
    for column in others:
        text = text + "\n" + column
    patterns = [f"%{re.sub(LIKE_SPECIAL, ESCAPED, word)}%" for word in searched]
    return matched(indexed(text), "\n".join(searched), "\n".join(patterns))


def contains(indexed_text: Any, search: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column of indexed text contains every word of a search."""
    return sa.and_(sa.true(), *(indexed_text.contains(word, autoescape=True) for word in words(search)))


@compiles(matched, "postgresql")
def _compile_match_for_postgresql(element: matched, compiler: SQLCompiler, **options: Any) -> str:
    indexed_text, _words, patterns = element.clauses
    lines = sa.func.string_to_array(patterns, "\n")
    return f"{compiler.process(indexed_text, **options)} LIKE ALL ({compiler.process(lines, **options)})"


@compiles(indexed, "postgresql")
def _compile_for_postgresql(element: indexed, compiler: SQLCompiler, **options: Any) -> str:
    [text] = element.clauses
    composed = sa.func.pg_catalog.normalize(text, "NFC")
    plain = _folded(composed)
    spelled_out = _folded(_translated(composed, SPELLED_OUT))
    is_ascii = sa.func.octet_length(text) == sa.func.char_length(text)
    expression = sa.case((is_ascii, sa.func.lower(text)), else_=plain + "\n" + spelled_out)
    return compiler.process(sa.type_coerce(expression, sa.Text).self_group(), **options)


def _folded(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return the SQL expression of `normalize`."""
    decomposed = sa.func.pg_catalog.normalize(
        _translated(text, {**FOLDED, ord("ß"): "ss", ord("ẞ"): "ss", ord("ς"): "σ"}), "NFKD"
    )
    return sa.func.lower(sa.func.regexp_replace(decomposed, _combining_characters(), "", "g"))


def _translated(text: sa.ColumnElement[str], table: dict[int, str]) -> sa.ColumnElement[str]:
    """Return the SQL expression of `str.translate` for small and capital letters."""
    for code, replacement in table.items():
        for letter in {chr(code), chr(code).upper()}:
            if len(letter) == 1 and not letter.isascii():
                text = sa.func.replace(text, letter, replacement)
    return text


@cache
def _combining_characters() -> str:
    """Return the regular expression of one or more combining characters."""
    codes = [code for code in range(MAX_COMBINING) if unicodedata.combining(chr(code))]
    known = frozenset(codes)
    starts = [code for code in codes if code - 1 not in known]
    ends = [code for code in codes if code + 1 not in known]
    return "[" + "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True)) + "]+"
