"""Postal addresses of a user, for deliveries and invoices. Of a user's addresses exactly one is the default."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Select, select

from ... import phones, postcodes
from ...countries import countries, name_in_sentence
from ...db import acquire_lock, db, execute_update
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Address, User

MAX_ADDRESSES = 20
MAX_LENGTHS = {
    "name": 100, "company": 100, "line1": 100, "line2": 100, "city": 100, "region": 100, "postal_code": 20
}  # fmt: skip
PROMPTS = {
    "name": _("Enter the recipient's name."),
    "line1": _("Enter the street address."),
    "city": _("Enter the town or city."),
}
INPUT_FIELDS = (*MAX_LENGTHS, "country", "phone")

# Countries where an address needs a region, by the local term for it: those for which libaddressinput requires it
# (Google's collection of postal rules, which browsers use too), and Mexico and Nigeria, where carriers ask for it.
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
REGION_NAMES = {code: name for name, _prompt, codes in REGIONS.values() for code in codes.split()}
REGION_PROMPTS = {code: prompt for _name, prompt, codes in REGIONS.values() for code in codes.split()}


class AddressNotFound(NotFound):
    """There is no such address, or it belongs to another user."""


class InvalidAddress(DomainError):
    """The input is not a valid address; `field` names the part."""

    status = 422


class TooManyAddresses(DomainError):
    """The user already has `MAX_ADDRESSES` addresses."""


def owned_by(user: User) -> Select[Address]:
    """Return the query of a user's addresses: the default first, then the oldest."""
    return select(Address).where(Address.user_id == user.id).order_by(Address.is_default.desc(), Address.id)


def get_own_address(user: User, address_id: int) -> Address:
    """Return a user's address by its id; raise `AddressNotFound` for any other."""
    address = None
    if is_id(address_id):
        address = db.session.scalar(owned_by(user).where(Address.id == address_id))
    if address is None:
        raise AddressNotFound(_("We couldn't find that address."))
    return address


def add(user: User, fields: Mapping[str, str]) -> Address:
    """Add an address; the first one becomes the default.

    Raise `InvalidAddress`, `phones.InvalidPhone` or `TooManyAddresses`.
    """
    values = clean_all(fields)
    _lock_addresses(user)
    count = db.session.scalar(select(sa.func.count()).where(Address.user_id == user.id)) or 0
    if count >= MAX_ADDRESSES:
        raise TooManyAddresses(_("You already have %(number)d addresses. Delete one to add another."), number=count)
    address = Address(user_id=user.id, is_default=count == 0, **values)
    db.session.add(address)
    db.session.flush()  # callers need its id
    return address


def update(user: User, address: Address, fields: Mapping[str, str]) -> None:
    """Update an address; raise `InvalidAddress`, `phones.InvalidPhone`, or `AddressNotFound` if it was deleted."""
    is_own = sa.and_(Address.id == address.id, Address.user_id == user.id)
    _require_one_row(execute_update(sa.update(Address).where(is_own).values(**clean_all(fields))))


def make_default(user: User, address: Address) -> None:
    """Make an address the default; raise `AddressNotFound` if it was deleted."""
    _lock_addresses(user)
    get_own_address(user, address.id)
    _set_default(user, address.id)


def delete(user: User, address: Address) -> None:
    """Delete an address; the oldest remaining one replaces a deleted default. Raise `AddressNotFound`."""
    _lock_addresses(user)
    is_own = sa.and_(Address.id == address.id, Address.user_id == user.id)
    _require_one_row(execute_update(sa.delete(Address).where(is_own)))
    remaining = list(db.session.execute(select(Address.id, Address.is_default).where(Address.user_id == user.id)))
    if remaining and not any(is_default for _id, is_default in remaining):
        _set_default(user, min(address_id for address_id, _is_default in remaining))


def _lock_addresses(user: User) -> None:
    """Serialize changes to a user's addresses, because count and default depend on all of them."""
    acquire_lock(f"addresses of {user.id}")


def _set_default(user: User, address_id: int) -> None:
    is_new_default = Address.id == address_id
    is_wrong = sa.and_(Address.user_id == user.id, Address.is_default != is_new_default)
    execute_update(sa.update(Address).where(is_wrong).values(is_default=is_new_default))


def _require_one_row(count: int) -> None:
    if count != 1:
        raise AddressNotFound(_("We couldn't find that address."))


def clean_all(fields: Mapping[str, str]) -> dict[str, str | None]:
    """Return the values to store for an entered address.

    Raise `InvalidAddress` or `phones.InvalidPhone`, each with its field.
    """
    values: dict[str, str | None] = {}
    for field, max_length in MAX_LENGTHS.items():
        text = " ".join((fields.get(field) or "").split())
        if not text and field in PROMPTS:
            raise InvalidAddress(PROMPTS[field], field=field)
        if len(text) > max_length:
            raise InvalidAddress(_("Enter %(most)s characters or fewer."), field=field, most=max_length)
        values[field] = text
    country = (fields.get("country") or "").strip().upper()
    if country not in dict(countries("en")):
        raise InvalidAddress(_("Choose a country."), field="country")
    values["country"] = country
    if not values["region"] and country in REGION_PROMPTS:
        raise InvalidAddress(REGION_PROMPTS[country], field="region")
    values["postal_code"] = clean_postal_code(values["postal_code"] or "", country)
    values["phone"] = phones.clean(fields.get("phone") or "", country)
    return values


def clean_postal_code(text: str, country: str) -> str:
    """Return a postal code in capitals; raise `InvalidAddress` unless it has the country's format, where known."""
    code = text.upper()
    _name, missing, invalid = postcodes.terms(country)
    if not code and not postcodes.is_required(country):
        return ""
    if not code:
        raise InvalidAddress(missing, field="postal_code")
    if not postcodes.is_valid(code, country):
        raise InvalidAddress(invalid, field="postal_code", country=name_in_sentence(country))
    return code
