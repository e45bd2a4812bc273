"""Normalization of searched text: case, accents, German and Scandinavian letters, simple plurals.

`index` is applied to what is stored and `words` to what is typed; a word is found if it occurs in the stored text.
"""

import unicodedata

FOLDED = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})
SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})  # as typed without these letters
MIN_PLURAL_LENGTH = 4


def normalize(text: str) -> str:
    """Return a text in lower case, without accents: "Grüße" becomes "grusse"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(FOLDED))
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def index(text: str) -> str:
    """Return the text to search in: normalized, and once more with umlauts and the like spelled out if it has any."""
    composed = unicodedata.normalize("NFC", text).casefold()
    folded, spelled_out = normalize(composed), normalize(composed.translate(SPELLED_OUT))
    return folded if spelled_out == folded else f"{folded}\n{spelled_out}"


def words(text: str, limit: int) -> list[str]:
    """Return the first words of a search, normalized, without a plural s."""
    return [_singular(word) for word in normalize(text).split()[:limit]]


def _singular(word: str) -> str:
    is_plural = len(word) >= MIN_PLURAL_LENGTH and word.isalpha() and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural else word
