"""Factories for demo data and tests. They add rows and flush, so that rows have ids, but never commit."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from ..clock import utcnow
from ..db import db
from ..keys import Keys
from ..models import (
    Address,
    Card,
    CardEvent,
    CardMove,
    CardStatus,
    Category,
    ClaimPolicy,
    Collection,
    CollectionKind,
    DeliveryKind,
    DeliveryMethod,
    Design,
    Lead,
    OptionKind,
    Product,
    ProductOption,
    ProductPicture,
    Profile,
    Promotion,
    PromotionScope,
    Role,
    Target,
    User,
)
from ..models.products import SLUG_LENGTH
from ..services.accounts import addresses, credentials
from ..services.cards import claims, target_urls
from ..slugs import slugify
from ..tokens import new_token


def create_user(
    email: str = "",
    *,
    first_name: str = "Ada",
    last_name: str = "Obi",
    password: str | None = None,
    roles: Sequence[str] = (),
    verified: bool = True,
    **values: Any,
) -> User:
    """Create a user, verified by default, with any roles that exist."""
    user = User(
        email=email or f"{first_name}.{new_token()}@example.com",
        first_name=first_name,
        last_name=last_name,
        password_hash=credentials.hash_password(password) if password else None,
        verified_at=utcnow() if verified else None,
        **values,
    )
    user.roles = list(db.session.scalars(select(Role).where(Role.name.in_(roles))))
    db.session.add(user)
    db.session.flush()
    return user


def create_design(name: str = "Lake at dusk", **values: Any) -> Design:
    """Create a public, approved design."""
    design = Design(**{"name": name, "is_public": True, **values})
    db.session.add(design)
    db.session.flush()
    return design


def create_profile(owner: User, slug: str = "", **values: Any) -> Profile:
    """Create a public profile."""
    values = {"name": owner.full_name, **values}
    profile = Profile(owner=owner, slug=slug or new_token().lower(), **values)
    db.session.add(profile)
    db.session.flush()
    return profile


def create_lead(profile: Profile, name: str = "Gus Lind", **values: Any) -> Lead:
    """Create a lead of a profile, with an email address unless an email address or phone number is given."""
    if not {"email", "phone"} & values.keys():
        values["email"] = "gus@example.com"
    values.setdefault("consent_text", f"I agree that {profile.name} receives these details and may contact me.")
    lead = Lead(owner_id=profile.owner_id, profile=profile, name=name, **values)
    db.session.add(lead)
    db.session.flush()
    return lead


def create_address(user: User, **values: Any) -> Address:
    """Create an address of a user; the first one becomes the default."""
    columns = {"name": user.full_name, "line1": "1 High Street", "city": "London", "postal_code": "N1 9GU"}
    address = addresses.add(user, {**columns, "country": "GB"})
    for name, value in values.items():
        setattr(address, name, value)
    db.session.flush()
    return address


def create_card(
    owner: User | None = None,
    *,
    url: str | None = None,
    profile: Profile | None = None,
    policy: ClaimPolicy = ClaimPolicy.CODE,
    code: str | None = None,
    keys: Keys | None = None,
    **values: Any,
) -> Card:
    """Create a card: active and leading to `url` or `profile` if it has an owner, otherwise unclaimed.

    A claim `code` needs the `keys` that encrypt it; raises `ValueError` without them.
    """
    card = Card(token=values.pop("token", None) or new_token(), claim_policy=policy)
    if owner is not None:
        card.owner, card.status, card.claimed_at = owner, CardStatus.ACTIVE, utcnow()
    if url is not None:
        link = target_urls.clean(url)
        card.target, card.reroute_url, card.reroute_host = Target.URL, link.url, link.host
    if profile is not None:
        card.target, card.profile = Target.PROFILE, profile
    if code is not None:
        if keys is None:
            raise ValueError("a claim code needs the keys that encrypt it")
        claims.set_claim_code(card, code, keys)
    for name, value in values.items():
        setattr(card, name, value)
    db.session.add(card)
    db.session.add(CardEvent(card=card, move=CardMove.MAKE, to_status=CardStatus.UNCLAIMED))
    if owner is not None:
        db.session.add(
            CardEvent(
                card=card,
                move=CardMove.CLAIM,
                from_status=CardStatus.UNCLAIMED,
                to_status=CardStatus.ACTIVE,
                actor=owner,
            )
        )
    db.session.flush()
    return card


# --- shop -------------------------------------------------------------------------------------------------------------


def create_category(name: str = "Desk", parent: Category | None = None, **values: Any) -> Category:
    """Create a category, at the top level unless it has a parent."""
    category = Category(name=name, parent=parent, **{"slug": _slug(name, Category), **values})
    db.session.add(category)
    db.session.flush()
    return category


def create_collection(name: str = "Travel", kind: CollectionKind = CollectionKind.THEME, **values: Any) -> Collection:
    """Create a collection, by default a theme."""
    collection = Collection(name=name, kind=kind, **{"slug": _slug(name, Collection), **values})
    db.session.add(collection)
    db.session.flush()
    return collection


def create_product(
    name: str = "Moorland journal",
    *,
    pictures: Iterable[tuple[str, str]] = (),
    options: Iterable[ProductOption] = (),
    **values: Any,
) -> Product:
    """Create a product, by default goods for 10.00 without stock tracking.

    `pictures` are pairs of an upload's name and its alternative text.
    """
    slug = values.pop("slug", None) or _slug(name, Product)
    product = Product(name=name, slug=slug, **{"sku": slug.upper()[:100], "unit_amount": 1000, **values})
    product.pictures = [
        ProductPicture(name=picture, alt=alt, position=position) for position, (picture, alt) in enumerate(pictures)
    ]
    product.options = list(options)
    for position, option in enumerate(product.options):
        option.position = position
    db.session.add(product)
    db.session.flush()
    return product


def create_option(
    product: Product, key: str = "inscription", kind: OptionKind = OptionKind.TEXT, **values: Any
) -> ProductOption:
    """Add an option to a product, by default a short text."""
    label, position = key.replace("_", " ").capitalize(), len(product.options)
    option = ProductOption(key=key, kind=kind, **{"label": label, "position": position, **values})
    product.options.append(option)
    db.session.flush()
    return option


def create_promotion(code: str = "WELCOME10", **values: Any) -> Promotion:
    """Create a promotion code, by default for 10% off all products."""
    if "amount" not in values:
        values.setdefault("percent", 1000)
    for scope in (PromotionScope.CATEGORY, PromotionScope.COLLECTION, PromotionScope.PRODUCT):
        if scope.value in values:
            values.setdefault("applies_to", scope)
    promotion = Promotion(code=code, **values)
    db.session.add(promotion)
    db.session.flush()
    return promotion


def create_delivery_method(
    name: str = "Standard delivery", kind: DeliveryKind = DeliveryKind.FLAT, **values: Any
) -> DeliveryMethod:
    """Create a delivery method, by default a flat rate of 3.50."""
    if kind is DeliveryKind.FLAT:
        values.setdefault("amount", 350)
    method = DeliveryMethod(name=name, kind=kind, **values)
    db.session.add(method)
    db.session.flush()
    return method


def _slug(name: str, model: type[Category | Collection | Product]) -> str:
    """Return a name as a slug, with a random suffix if another row has the slug already."""
    slug = slugify(name, SLUG_LENGTH)
    is_taken = db.session.scalar(select(model.id).where(model.slug == slug)) is not None
    return f"{slug}-{new_token().lower()}" if is_taken else slug
