"""Promotions: codes that lower a total, with limits on their use."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ..db import Base, created, minor_units, pk
from .products import HUNDRED_PERCENT, MAX_AMOUNT, Category, Collection, Product

MAX_CODE_LENGTH = 40


class PromotionScope(enum.StrEnum):
    """The part of the catalogue that a promotion applies to."""

    ALL = "all"
    CATEGORY = "category"
    COLLECTION = "collection"
    PRODUCT = "product"


class Promotion(Base):
    """A code with a percentage or an amount off; uses are counted when an order is placed."""

    __tablename__ = "promotions"
    __table_args__ = (
        sa.CheckConstraint("code = upper(code)", name="code_upper"),
        sa.CheckConstraint("(percent IS NULL) <> (amount IS NULL)", name="percent_or_amount"),
        sa.CheckConstraint(f"percent IS NULL OR percent BETWEEN 1 AND {HUNDRED_PERCENT}", name="percent_in_range"),
        sa.CheckConstraint(f"amount IS NULL OR amount BETWEEN 1 AND {MAX_AMOUNT}", name="amount_in_range"),
        sa.CheckConstraint("minimum_amount >= 0", name="minimum_not_negative"),
        sa.CheckConstraint("use_count >= 0", name="use_count_not_negative"),
        sa.CheckConstraint("most_uses IS NULL OR most_uses >= 1", name="most_uses_positive"),
        sa.CheckConstraint("most_uses_each IS NULL OR most_uses_each >= 1", name="most_uses_each_positive"),
        sa.CheckConstraint("(applies_to = 'category') = (category_id IS NOT NULL)", name="names_its_category"),
        sa.CheckConstraint("(applies_to = 'collection') = (collection_id IS NOT NULL)", name="names_its_collection"),
        sa.CheckConstraint("(applies_to = 'product') = (product_id IS NOT NULL)", name="names_its_product"),
    )

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(sa.String(MAX_CODE_LENGTH), unique=True)
    percent: Mapped[int | None]  # hundredths of a percent
    amount: Mapped[int | None] = mapped_column(sa.BigInteger)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    minimum_amount: Mapped[minor_units] = mapped_column(default=0)
    applies_to: Mapped[PromotionScope] = mapped_column(default=PromotionScope.ALL)
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("categories.id"))
    collection_id: Mapped[int | None] = mapped_column(sa.ForeignKey("collections.id"))
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"))
    needs_account: Mapped[bool] = mapped_column(default=False)
    most_uses: Mapped[int | None]
    most_uses_each: Mapped[int | None]
    use_count: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[created]
    version: Mapped[int] = mapped_column(default=1)

    category: Mapped[Category | None] = relationship()
    collection: Mapped[Collection | None] = relationship()
    product: Mapped[Product | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    @validates("code")
    def _upper(self, _key: str, value: str) -> str:
        return "".join(value.split()).upper()


class PromotionCustomer(Base):
    """The number of uses by one customer, identified by a keyed hash."""

    __tablename__ = "promotion_customers"
    __table_args__ = (sa.CheckConstraint("use_count >= 0", name="use_count_not_negative"),)

    promotion_id: Mapped[int] = mapped_column(sa.ForeignKey("promotions.id", ondelete="CASCADE"), primary_key=True)
    customer: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    use_count: Mapped[int] = mapped_column(default=0)
