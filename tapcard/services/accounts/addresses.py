"""Addresses of a person: where parcels and bills go. Whoever has any has exactly one default."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import sqlalchemy as sa
from babel import Locale
from sqlalchemy import Select, select

from ... import phones
from ...db import db, hold
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...models import Address, User

MOST_ADDRESSES = 20
LENGTHS = {
    "name": 100, "company": 100, "line1": 100, "line2": 100, "city": 100, "region": 100, "postal_code": 20
}  # fmt: skip
PROMPTS = {
    "name": _("Enter the recipient's name."),
    "line1": _("Enter the street address."),
    "city": _("Enter the town or city."),
}
TYPED = (*LENGTHS, "country", "phone")

# Codes of CLDR that are no countries.
NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
POSTAL_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{0,18}[A-Z0-9])?")
# Where the shape is the same for everybody and a code is never missing; elsewhere it may be left out.
POSTAL_CODES = {
    "AT": r"\d{4}", "AU": r"\d{4}", "BE": r"\d{4}", "BR": r"\d{5}-?\d{3}", "CA": r"[A-Z]\d[A-Z] ?\d[A-Z]\d",
    "CH": r"\d{4}", "DE": r"\d{5}", "DK": r"\d{4}", "ES": r"\d{5}", "FI": r"\d{5}", "FR": r"\d{5}",
    "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", "IN": r"\d{3} ?\d{3}", "IT": r"\d{5}", "JP": r"\d{3}-?\d{4}",
    "NL": r"\d{4} ?[A-Z]{2}", "NO": r"\d{4}", "PL": r"\d{2}-\d{3}", "PT": r"\d{4}-\d{3}", "SE": r"\d{3} ?\d{2}",
    "US": r"\d{5}(?:-\d{4})?",
}  # fmt: skip
# Countries whose addresses are not complete without their part of the country, by what people there call it: where
# libaddressinput requires it (Google's collection of the posts' rules, which browsers use too), and Mexico and Nigeria,
# where carriers ask for it.
REGIONS = {
    "state": (_("State"), _("Enter the state."), "AS AU BR FM IN MH MP MX NG PW UM US VE VI"),
    "province": (_("Province"), _("Enter the province."), "CA CN CR ES HN ID IQ IT KR PG SO SV"),
    "prefecture": (_("Prefecture"), _("Enter the prefecture."), "JP"),
    "emirate": (_("Emirate"), _("Enter the emirate."), "AE"),
    "department": (_("Department"), _("Enter the department."), "CO"),
    "area": (_("Area"), _("Enter the area."), "HK"),
    "county": (_("County"), _("Enter the county."), "TW"),
    "parish": (_("Parish"), _("Enter the parish."), "JM"),
    "island": (_("Island"), _("Enter the island."), "KN KY PF"),
    "district": (_("District"), _("Enter the district."), "NR"),
    "oblast": (_("Region (oblast)"), _("Enter the region."), "RU UA"),
}
# What people in a country call its postal codes, with what to say of one that is missing or wrong there.
POSTAL_CODE_WORDS = {
    "postcode": (
        _("Postcode"), _("Enter a postcode."), _("That postcode isn't valid for %(country)s."), "AU GB GG IM JE NZ"
    ),
    "zip": (
        _("ZIP code"), _("Enter a ZIP code."), _("That ZIP code isn't valid for %(country)s."), "AS GU MP PR US VI"
    ),
}  # fmt: skip
POSTAL_CODE_ELSEWHERE = (
    _("Postal code"), _("Enter a postal code."), _("That postal code isn't valid for %(country)s.")
)  # fmt: skip
# Countries whose English names need an article in a sentence.
WITH_ARTICLE = "AE BS CF DO FK GB GM KM KY MH MP MV NL PH SB SC TC UM US VG VI"
REGION_NAMES = {code: name for name, _prompt, codes in REGIONS.values() for code in codes.split()}
REGION_PROMPTS = {code: prompt for _name, prompt, codes in REGIONS.values() for code in codes.split()}


class AddressNotFound(NotFound):
    """There is no such address, or it is somebody else's."""


class BadAddress(DomainError):
    """What was typed is no address."""

    status = 422


class TooManyAddresses(DomainError):
    """Nobody needs more."""


def owned_by(user: User) -> Select[Address]:
    """A person's addresses, the default first, then the oldest."""
    return select(Address).where(Address.user_id == user.id).order_by(Address.is_default.desc(), Address.id)


def own_address(user: User, address_id: int) -> Address:
    """A person's address by its id; anybody else's does not exist."""
    address = None
    if 0 < address_id < 2**63:
        address = db.session.scalar(owned_by(user).where(Address.id == address_id))
    if address is None:
        raise AddressNotFound(_("We can't find that address."))
    return address


@lru_cache(maxsize=16)
def countries(locale: str) -> list[tuple[str, str]]:
    """Codes and names of all countries, in the order of a reader's alphabet."""
    names = Locale.parse(locale).territories
    found = [(code, name) for code, name in names.items() if len(code) == 2 and code not in NO_COUNTRIES]
    return sorted(found, key=lambda each: unicodedata.normalize("NFKD", each[1]).casefold())


def add(user: User, typed: Mapping[str, str]) -> Address:
    """Keep another address; the first one is the default. Raises `BadAddress`, `phones.InvalidPhone`, and so on."""
    values = clean_all(typed)
    _hold(user)
    number = db.session.scalar(select(sa.func.count()).where(Address.user_id == user.id)) or 0
    if number >= MOST_ADDRESSES:
        raise TooManyAddresses(_("You already have %(number)d addresses. Delete one to add another."), number=number)
    address = Address(user_id=user.id, is_default=number == 0, **values)
    db.session.add(address)
    db.session.flush()  # whoever adds it wants its id
    return address


def change(user: User, address: Address, typed: Mapping[str, str]) -> None:
    """Store what was typed over an address; raises what `add` raises, and `AddressNotFound` when it is gone."""
    changed = db.session.execute(
        sa.update(Address)
        .where(Address.id == address.id, Address.user_id == user.id)
        .values(**clean_all(typed))
        .execution_options(synchronize_session=False)
    )
    _refuse_none(changed)


def make_default(user: User, address: Address) -> None:
    """Let an address be the one that is used unless said otherwise; raises `AddressNotFound` when it is gone."""
    _hold(user)
    own_address(user, address.id)
    _set_default(user, address.id)


def delete(user: User, address: Address) -> None:
    """Forget an address; if it was the default, the oldest one left takes its place. Raises `AddressNotFound`."""
    _hold(user)
    gone = sa.delete(Address).where(Address.id == address.id, Address.user_id == user.id)
    _refuse_none(db.session.execute(gone.execution_options(synchronize_session=False)))
    others = list(db.session.execute(select(Address.id, Address.is_default).where(Address.user_id == user.id)))
    if others and not any(is_default for _id, is_default in others):
        _set_default(user, min(other for other, _is_default in others))


def _hold(user: User) -> None:
    """One change at a time to what a person has: the count and the default depend on all of it."""
    hold(f"addresses of {user.id}")


def _set_default(user: User, address_id: int) -> None:
    db.session.execute(
        sa.update(Address)
        .where(Address.user_id == user.id, Address.is_default != (Address.id == address_id))
        .values(is_default=Address.id == address_id)
        .execution_options(synchronize_session=False)
    )


def _refuse_none(result: sa.Result[object]) -> None:
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise AddressNotFound(_("We can't find that address."))


def clean_all(typed: Mapping[str, str]) -> dict[str, str | None]:
    """Turn what was typed into what is stored; raises `BadAddress` or `phones.InvalidPhone`, each with its field."""
    values: dict[str, str | None] = {}
    for field, longest in LENGTHS.items():
        text = " ".join((typed.get(field) or "").split())
        if not text and field in PROMPTS:
            raise BadAddress(PROMPTS[field], field=field)
        if len(text) > longest:
            raise BadAddress(_("At most %(most)s characters."), field=field, most=longest)
        values[field] = text
    country = (typed.get("country") or "").strip().upper()
    if country not in dict(countries("en")):
        raise BadAddress(_("Choose a country."), field="country")
    values["country"] = country
    if not values["region"] and country in REGION_PROMPTS:
        raise BadAddress(REGION_PROMPTS[country], field="region")
    values["postal_code"] = clean_postal_code(values["postal_code"] or "", country)
    values["phone"] = phones.clean(typed.get("phone") or "", country)
    return values


def postal_code_words(country: str) -> tuple[str, str, str]:
    """Return what postal codes of a country are called, and the messages for a missing and a wrong one."""
    for name, missing, wrong, codes in POSTAL_CODE_WORDS.values():
        if country in codes.split():
            return name, missing, wrong
    return POSTAL_CODE_ELSEWHERE


def _in_a_sentence(country: str) -> str:
    """Return the English name of a country as it stands in a sentence."""
    name = dict(countries("en")).get(country, country)
    return f"the {name}" if country in WITH_ARTICLE.split() else name


def clean_postal_code(text: str, country: str) -> str:
    """A postal code in capitals, of the country's shape where that is known; raises `BadAddress`."""
    code = text.upper()
    _name, missing, wrong = postal_code_words(country)
    shape = POSTAL_CODES.get(country)
    if not code and shape is None:
        return ""
    if not code:
        raise BadAddress(missing, field="postal_code")
    if not (re.fullmatch(shape, code, re.ASCII) if shape else POSTAL_CODE.fullmatch(code)):
        raise BadAddress(wrong, field="postal_code", country=_in_a_sentence(country))
    return code
