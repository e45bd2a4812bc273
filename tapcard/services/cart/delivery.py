"""Ways of delivery: which ones serve a country, and whether what a buyer chose is one of them."""

from collections.abc import Sequence

from sqlalchemy import Select, select

from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import DeliveryMethod


class NoDelivery(DomainError):
    """What was chosen does not get a parcel to this buyer."""

    status = 422
    field = "delivery_method"


def offered() -> Select[DeliveryMethod]:
    """The ways of delivery that are switched on, in the shop's order."""
    return select(DeliveryMethod).where(DeliveryMethod.is_active).order_by(DeliveryMethod.position, DeliveryMethod.id)


def serves(method: DeliveryMethod, country: str) -> bool:
    """Whether a parcel gets to a country by this way; one without a list goes everywhere."""
    return not method.countries or country in method.countries


def by_id(method_id: object) -> DeliveryMethod | None:
    """The way of delivery of an id, as long as it is switched on; None for whatever else was kept or sent."""
    if not isinstance(method_id, int) or isinstance(method_id, bool) or not 0 < method_id < 2**63:
        return None
    return db.session.scalar(offered().where(DeliveryMethod.id == method_id))


def check(methods: Sequence[DeliveryMethod], method: DeliveryMethod | None, country: str, location: str) -> None:
    """Raise `NoDelivery` unless the choice gets a parcel to the country, and names one of its places if it has any.

    A shop without any way of delivery agrees on it with each buyer. Whoever collects a parcel may live anywhere.
    """
    if not methods and method is None:
        return
    able = [each for each in methods if not each.needs_address or serves(each, country)]
    if not able:
        raise NoDelivery(_("We don't deliver to this country yet. Choose another address."), field="country")
    if method is None or method not in methods:
        raise NoDelivery(_("Choose a delivery method."))
    if method not in able:
        raise NoDelivery(_("This delivery method isn't available for that country. Choose another one."))
    if method.locations and location not in method.locations:
        raise NoDelivery(_("Choose a delivery location."), field=f"location_{method.id}")
