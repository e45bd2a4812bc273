"""Pages that staff write."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import utcnow
from ..db import Base, created, pk


class PageMenu(enum.StrEnum):
    """The menu that links to a page."""

    NONE = "none"
    TOP = "top"
    FOOTER = "footer"


class ShopPage(Base):
    """A page in Markdown; it replaces the built-in page with the same slug."""

    __tablename__ = "shop_pages"

    id: Mapped[pk]
    slug: Mapped[str] = mapped_column(sa.String(120), unique=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str] = mapped_column(sa.Text, default="")
    description: Mapped[str] = mapped_column(sa.String(500), default="")
    menu: Mapped[PageMenu] = mapped_column(default=PageMenu.NONE)
    position: Mapped[int] = mapped_column(default=0)
    is_published: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[created]
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
