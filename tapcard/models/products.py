"""Catalogue: categories, collections, products with pictures and options, wishlists, display rates, reviews."""

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship, validates

from .. import search_text
from ..db import Base, created, minor_units, pk
from .users import User

NAME_LENGTH = 255
SLUG_LENGTH = 120
MAX_AMOUNT = 1_000_000_000  # in minor units; a hundred times as much still fits 64 bits
HUNDRED_PERCENT = 10_000  # rates are in hundredths of a percent: 20 % is 2000
MAX_CHOICES = 40


class Category(Base):
    """A category of products; its page also shows the products of its subcategories."""

    __tablename__ = "categories"
    __table_args__ = (sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),)

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(sa.String(100))
    slug: Mapped[str] = mapped_column(sa.String(SLUG_LENGTH), unique=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("categories.id"), index=True)
    description: Mapped[str] = mapped_column(sa.Text, default="")
    picture: Mapped[str | None] = mapped_column(sa.String(80))
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    parent: Mapped["Category | None"] = relationship(remote_side="Category.id", back_populates="children")
    children: Mapped[list["Category"]] = relationship(back_populates="parent", order_by="Category.position")


class CollectionKind(enum.StrEnum):
    """The kind of a collection, by what its products have in common."""

    BRAND = "brand"
    THEME = "theme"
    SEASON = "season"


product_collections = sa.Table(
    "product_collections",
    Base.metadata,
    sa.Column("product_id", sa.ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("collection_id", sa.ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Collection(Base):
    """A group of products across categories."""

    __tablename__ = "collections"

    id: Mapped[pk]
    kind: Mapped[CollectionKind]
    name: Mapped[str] = mapped_column(sa.String(100))
    slug: Mapped[str] = mapped_column(sa.String(SLUG_LENGTH), unique=True)
    description: Mapped[str] = mapped_column(sa.Text, default="")
    is_active: Mapped[bool] = mapped_column(default=True)


class ProductKind(enum.StrEnum):
    """The kind of a product, which decides how it is fulfilled."""

    CARD = "card"
    GOODS = "goods"
    GIFT_PACK = "gift_pack"


class Availability(enum.StrEnum):
    """The availability of a product."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PRE_ORDER = "pre_order"


class Product(Base):
    """A product; never deleted, only hidden, because orders refer to it.

    `stock` is the number of pieces that can still be sold, for pre-orders their limit; None: not tracked.
    """

    __tablename__ = "products"
    __table_args__ = (
        sa.CheckConstraint(f"unit_amount BETWEEN 0 AND {MAX_AMOUNT}", name="unit_amount_in_range"),
        sa.CheckConstraint("discount_percent BETWEEN 0 AND 100", name="discount_percent_in_range"),
        sa.CheckConstraint("stock IS NULL OR stock >= 0", name="stock_not_negative"),
        sa.CheckConstraint(f"tax_rate BETWEEN 0 AND {HUNDRED_PERCENT}", name="tax_rate_in_range"),
        sa.Index(None, "is_active", "created_at"),
        sa.Index(None, "is_active", "price_amount"),
        sa.Index("ix_products_featured", "is_active", "is_featured", "created_at", "id"),
        # has every column that list counts need, so that counting reads no product row
        sa.Index("ix_products_counted", "is_active", "category_id", "availability", "stock", "discount_percent"),
    )

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    slug: Mapped[str] = mapped_column(sa.String(SLUG_LENGTH), unique=True)
    sku: Mapped[str] = mapped_column(sa.String(100), unique=True)
    kind: Mapped[ProductKind] = mapped_column(default=ProductKind.GOODS)
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("categories.id"), index=True)
    unit_amount: Mapped[minor_units]
    discount_percent: Mapped[int] = mapped_column(default=0)
    # after the discount, a half rounded up
    price_amount: Mapped[int] = mapped_column(
        sa.BigInteger, sa.Computed("(unit_amount * (100 - discount_percent) + 50) / 100", persisted=True)
    )
    promo_text: Mapped[str] = mapped_column(sa.String(255), default="")
    size: Mapped[str] = mapped_column(sa.String(100), default="")
    material: Mapped[str] = mapped_column(sa.String(100), default="")
    color: Mapped[str] = mapped_column(sa.String(100), default="")
    details: Mapped[str] = mapped_column(sa.Text, default="")
    stock: Mapped[int | None]
    availability: Mapped[Availability] = mapped_column(default=Availability.IN_STOCK)
    available_on: Mapped[date | None]  # when a pre-order is sent
    tax_rate: Mapped[int] = mapped_column(default=0)  # included in the price
    is_active: Mapped[bool] = mapped_column(default=True)
    is_featured: Mapped[bool] = mapped_column(default=False)
    page_title: Mapped[str] = mapped_column(sa.String(255), default="")
    page_description: Mapped[str] = mapped_column(sa.String(500), default="")
    search_text: Mapped[str] = mapped_column(sa.Text, default="")  # normalized by `tapcard.search_text`
    rating_count: Mapped[int] = mapped_column(default=0)
    rating_sum: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[created]
    version: Mapped[int] = mapped_column(default=1)

    category: Mapped[Category | None] = relationship()
    collections: Mapped[list[Collection]] = relationship(secondary=product_collections, order_by=Collection.name)
    pictures: Mapped[list["ProductPicture"]] = relationship(
        back_populates="product", order_by="ProductPicture.position", cascade="all, delete-orphan"
    )
    options: Mapped[list["ProductOption"]] = relationship(
        back_populates="product", order_by="ProductOption.position", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def rating(self) -> float | None:
        """Return the average rating of the reviews, 1 to 5; None without any."""
        return self.rating_sum / self.rating_count if self.rating_count else None

    @property
    def picture(self) -> "ProductPicture | None":
        """Return the main picture."""
        return self.pictures[0] if self.pictures else None

    @property
    def is_sold_out(self) -> bool:
        """Return whether no piece can be bought at present."""
        return self.availability is Availability.OUT_OF_STOCK or self.stock == 0

    @property
    def current_availability(self) -> Availability:
        """Return the availability with the stock taken into account."""
        return Availability.OUT_OF_STOCK if self.is_sold_out else self.availability


def _update_search_text(_mapper: Mapper[Any], _connection: sa.Connection, product: Product) -> None:
    parts = (product.name, product.promo_text, product.color, product.material, product.size, product.sku)
    product.search_text = search_text.index("\n".join(part or "" for part in parts))


sa.event.listen(Product, "before_insert", _update_search_text)
sa.event.listen(Product, "before_update", _update_search_text)


class ProductPicture(Base):
    """A picture of a product; the first one is the main one."""

    __tablename__ = "product_pictures"

    id: Mapped[pk]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(80))  # name of the uploaded file
    alt: Mapped[str] = mapped_column(sa.String(200), default="")
    position: Mapped[int] = mapped_column(default=0)

    product: Mapped[Product] = relationship(back_populates="pictures")


class OptionKind(enum.StrEnum):
    """The type of value that a product option takes."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    COLOR = "color"
    PICTURE = "picture"
    LOCATION = "location"
    PHONE = "phone"


class ProductOption(Base):
    """An option that the buyer may customise; a value for it costs `extra_amount` more."""

    __tablename__ = "product_options"
    __table_args__ = (
        sa.UniqueConstraint("product_id", "key"),
        sa.CheckConstraint(f"extra_amount BETWEEN 0 AND {MAX_AMOUNT}", name="extra_amount_in_range"),
        sa.CheckConstraint("max_length IS NULL OR max_length BETWEEN 1 AND 2000", name="max_length_in_range"),
    )

    id: Mapped[pk]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(sa.String(40))  # a to z and _: the name of its form field
    kind: Mapped[OptionKind]
    label: Mapped[str] = mapped_column(sa.String(100))
    is_required: Mapped[bool] = mapped_column(default=False)
    max_length: Mapped[int | None]
    choices: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    extra_amount: Mapped[minor_units] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)

    product: Mapped[Product] = relationship(back_populates="options")


class WishlistEntry(Base):
    """A product on a user's wishlist."""

    __tablename__ = "wishlist_entries"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        sa.ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[created]

    product: Mapped[Product] = relationship()


class DisplayRate(Base):
    """The value of one unit of the shop's currency in another one, to show prices; nothing is charged by it."""

    __tablename__ = "display_rates"
    __table_args__ = (sa.CheckConstraint("rate > 0", name="rate_positive"),)

    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True)
    rate: Mapped[Any] = mapped_column(sa.Numeric(18, 8))
    updated_at: Mapped[created]

    @validates("currency")
    def _upper(self, _key: str, value: str) -> str:
        return value.strip().upper()


class ReviewStatus(enum.StrEnum):
    """The moderation status of a review."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class Review(Base):
    """A buyer's review of a product; one for each buyer and product."""

    __tablename__ = "reviews"
    __table_args__ = (
        sa.UniqueConstraint("product_id", "user_id"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating_in_range"),
    )

    id: Mapped[pk]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)  # None once the author is erased
    author: Mapped[str] = mapped_column(sa.String(60))
    rating: Mapped[int]
    text: Mapped[str] = mapped_column(sa.String(2000), default="")
    status: Mapped[ReviewStatus] = mapped_column(default=ReviewStatus.WAITING, index=True)
    created_at: Mapped[created]
    decided_at: Mapped[datetime | None]

    product: Mapped[Product] = relationship()
    user: Mapped[User | None] = relationship()
