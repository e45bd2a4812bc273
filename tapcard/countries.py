"""Names of countries by their two-letter codes (ISO 3166-1), from CLDR."""

import unicodedata
from functools import lru_cache

from babel import Locale

# CLDR territory codes that are not countries.
NOT_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
# Countries whose English names need an article in a sentence.
WITH_ARTICLE = "AE BS CF DO FK GB GM KM KY MH MP MV NL PH SB SC TC UM US VG VI"


@lru_cache(maxsize=16)
def countries(locale: str) -> list[tuple[str, str]]:
    """Return the codes and names of all countries, in alphabetical order of a locale."""
    names = Locale.parse(locale).territories
    pairs = [(code, name) for code, name in names.items() if len(code) == 2 and code not in NOT_COUNTRIES]
    return sorted(pairs, key=lambda pair: unicodedata.normalize("NFKD", pair[1]).casefold())


def country_name(code: str, locale: str) -> str:
    """Return the name of a country in the language of a locale; empty when unknown."""
    return str(Locale.parse(locale).territories.get(code, ""))


def name_in_sentence(code: str) -> str:
    """Return the English name of a country as it stands in a sentence, like "the Netherlands"."""
    name = country_name(code, "en") or code
    return f"the {name}" if code in WITH_ARTICLE.split() else name
