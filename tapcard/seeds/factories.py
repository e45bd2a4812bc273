"""Factories of everything there is to make rows of, for the demo and for the tests alike; they never commit."""

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
    """A person with an account, verified unless said otherwise."""
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
    """A public, approved design."""
    design = Design(**{"name": name, "is_public": True, **values})
    db.session.add(design)
    db.session.flush()
    return design


def create_profile(owner: User, slug: str = "", **values: Any) -> Profile:
    """A public profile."""
    values = {"name": owner.full_name, **values}
    profile = Profile(owner=owner, slug=slug or new_token().lower(), **values)
    db.session.add(profile)
    db.session.flush()
    return profile


def create_lead(profile: Profile, name: str = "Gus Lind", **values: Any) -> Lead:
    """A contact that somebody left on a profile, by email unless said otherwise."""
    if not {"email", "phone"} & values.keys():
        values["email"] = "gus@example.com"
    values.setdefault("consent_text", f"I agree that {profile.name} receives these details and may contact me.")
    lead = Lead(owner_id=profile.owner_id, profile=profile, name=name, **values)
    db.session.add(lead)
    db.session.flush()
    return lead


def create_address(user: User, **values: Any) -> Address:
    """An address, the person's default if it is the first."""
    typed = {"name": user.full_name, "line1": "1 High Street", "city": "London", "postal_code": "N1 9GU"}
    address = addresses.add(user, {**typed, "country": "GB"})
    for name, value in values.items():
        setattr(address, name, value)
    db.session.flush()
    return address


def create_card(
    owner: User | None = None,
    *,
    token: str = "",
    url: str | None = None,
    profile: Profile | None = None,
    policy: ClaimPolicy = ClaimPolicy.CODE,
    code: str | None = None,
    keys: Keys | None = None,
    **values: Any,
) -> Card:
    """A card: active and leading to `url` or `profile` for an owner, else unclaimed with a claim code."""
    card = Card(token=token or new_token(), claim_policy=policy)
    if owner is not None:
        card.owner, card.status, card.claimed_at = owner, CardStatus.ACTIVE, utcnow()
    if url is not None:
        link = target_urls.clean(url)
        card.target, card.reroute_url, card.reroute_host = Target.URL, link.url, link.host
    if profile is not None:
        card.target, card.profile = Target.PROFILE, profile
    if code is not None:
        if keys is None:
            raise ValueError("a claim code needs the keys to seal it with")
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
    """A shelf of the shop, at the top unless it has a parent."""
    category = Category(name=name, parent=parent, **{"slug": _slug(name, Category), **values})
    db.session.add(category)
    db.session.flush()
    return category


def create_collection(name: str = "Travel", kind: CollectionKind = CollectionKind.THEME, **values: Any) -> Collection:
    """A theme, unless said otherwise."""
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
    """Goods for 10.00, stock not tracked unless given; pictures are names of uploads with what they show."""
    slug = values.pop("slug", None) or _slug(name, Product)
    product = Product(name=name, slug=slug, **{"sku": slug.upper()[:100], "unit_amount": 1000, **values})
    product.pictures = [
        ProductPicture(name=picture, alt=alt, position=place) for place, (picture, alt) in enumerate(pictures)
    ]
    product.options = list(options)
    for place, option in enumerate(product.options):
        option.position = place
    db.session.add(product)
    db.session.flush()
    return product


def create_option(
    product: Product, key: str = "inscription", kind: OptionKind = OptionKind.TEXT, **values: Any
) -> ProductOption:
    """One more thing that buyers of a product may say: a short text unless said otherwise."""
    label, place = key.replace("_", " ").capitalize(), len(product.options)
    option = ProductOption(key=key, kind=kind, **{"label": label, "position": place, **values})
    product.options.append(option)
    db.session.flush()
    return option


def create_promotion(code: str = "WELCOME10", **values: Any) -> Promotion:
    """A code for 10% off everything, unless an amount, or what it is for, is given."""
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
    """A parcel for 3.50, unless said otherwise."""
    if kind is DeliveryKind.FLAT:
        values.setdefault("amount", 350)
    method = DeliveryMethod(name=name, kind=kind, **values)
    db.session.add(method)
    db.session.flush()
    return method


def _slug(name: str, model: type[Category | Collection | Product]) -> str:
    """The name as an address has it, with a random end where another row has it already."""
    slug = slugify(name, SLUG_LENGTH)
    is_taken = db.session.scalar(select(model.id).where(model.slug == slug)) is not None
    return f"{slug}-{new_token().lower()}" if is_taken else slug
