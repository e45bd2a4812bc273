"""Cards, designs and batches, with the history, transfers and blocked hosts of cards."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ..db import Base, bigint, created, enum_type, pk
from .profiles import Profile
from .users import User

TOKEN_LENGTH = 20
ALIAS_LENGTH = 60
URL_LENGTH = 2000
HOST_LENGTH = 255
BATCH_NAME_LENGTH = 80


class DesignStatus(enum.StrEnum):
    """The review state of a design."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"


class Design(Base):
    """The artwork of a card; pictures are names of uploads, and a design without one shows a placeholder."""

    __tablename__ = "designs"
    __table_args__ = (
        sa.CheckConstraint("card_amount IS NULL OR card_amount >= 0", name="card_amount_not_negative"),
        sa.CheckConstraint(
            "activation_amount IS NULL OR activation_amount >= 0", name="activation_amount_not_negative"
        ),
    )

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(sa.String(50))
    front_picture: Mapped[str | None] = mapped_column(sa.String(80))
    rear_picture: Mapped[str | None] = mapped_column(sa.String(80))
    is_public: Mapped[bool] = mapped_column(default=False)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    status: Mapped[DesignStatus] = mapped_column(default=DesignStatus.APPROVED)
    why_rejected: Mapped[str] = mapped_column(sa.String(300), default="", server_default="")
    card_amount: Mapped[int | None]
    activation_amount: Mapped[int | None]
    created_at: Mapped[created]

    owner: Mapped[User | None] = relationship()


class CardStatus(enum.StrEnum):
    """The state of a card."""

    UNCLAIMED = "unclaimed"
    ACTIVE = "active"
    LOCKED = "locked"
    RETIRED = "retired"


class LockedBecause(enum.StrEnum):
    """Why a card is deactivated: by its owner, by staff, or because the owner's account was closed."""

    LOST = "lost"
    ABUSE = "abuse"
    CLOSED = "closed"


class Target(enum.StrEnum):
    """What a tap on the card opens."""

    URL = "url"
    PROFILE = "profile"
    EVENT = "event"


class ClaimPolicy(enum.StrEnum):
    """How an unclaimed card can be claimed."""

    CODE = "code"
    PAY = "pay"
    OPEN = "open"


class CardMove(enum.StrEnum):
    """A transition between states, or another event in a card's history."""

    MAKE = "make"
    CLAIM = "claim"
    LOCK = "lock"
    UNLOCK = "unlock"
    TRANSFER = "transfer"
    RELEASE = "release"
    REPLACE = "replace"
    RETIRE = "retire"


_S, _M = CardStatus, CardMove
MOVES: dict[CardMove, tuple[frozenset[CardStatus], CardStatus]] = {
    _M.CLAIM: (frozenset({_S.UNCLAIMED}), _S.ACTIVE),
    _M.LOCK: (frozenset({_S.ACTIVE}), _S.LOCKED),
    _M.UNLOCK: (frozenset({_S.LOCKED}), _S.ACTIVE),
    _M.TRANSFER: (frozenset({_S.ACTIVE}), _S.ACTIVE),
    _M.RELEASE: (frozenset({_S.ACTIVE}), _S.UNCLAIMED),
    _M.REPLACE: (frozenset({_S.ACTIVE, _S.LOCKED}), _S.RETIRED),
    _M.RETIRE: (frozenset({_S.UNCLAIMED, _S.ACTIVE, _S.LOCKED}), _S.RETIRED),
}


class CardBatch(Base):
    """A batch of cards created or imported together."""

    __tablename__ = "card_batches"

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(sa.String(BATCH_NAME_LENGTH), unique=True)
    created_at: Mapped[created]


class Card(Base):
    """A physical NFC card with a permanent URL; never deleted, only retired."""

    __tablename__ = "cards"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "alias"),
        sa.CheckConstraint("token = upper(token)", name="token_upper"),
        sa.CheckConstraint("status <> 'active' OR owner_id IS NOT NULL", name="active_has_owner"),
        sa.CheckConstraint("status <> 'unclaimed' OR owner_id IS NULL", name="unclaimed_has_no_owner"),
        sa.CheckConstraint("(status = 'locked') = (locked_because IS NOT NULL)", name="locked_has_reason"),
        sa.CheckConstraint("owner_id IS NULL OR claim_code IS NULL", name="claimed_has_no_code"),
    )

    id: Mapped[pk]
    token: Mapped[str] = mapped_column(sa.String(TOKEN_LENGTH), unique=True)
    design_id: Mapped[int | None] = mapped_column(sa.ForeignKey("designs.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    alias: Mapped[str | None] = mapped_column(sa.String(ALIAS_LENGTH))
    status: Mapped[CardStatus] = mapped_column(default=CardStatus.UNCLAIMED, index=True)
    locked_because: Mapped[LockedBecause | None]
    target: Mapped[Target | None]
    reroute_url: Mapped[str | None] = mapped_column(sa.String(URL_LENGTH))
    reroute_host: Mapped[str | None] = mapped_column(sa.String(HOST_LENGTH), index=True)
    profile_id: Mapped[int | None] = mapped_column(sa.ForeignKey("profiles.id", ondelete="SET NULL"), index=True)
    is_blocked: Mapped[bool] = mapped_column(default=False)
    claim_policy: Mapped[ClaimPolicy] = mapped_column(default=ClaimPolicy.CODE)
    claim_code: Mapped[str | None] = mapped_column(sa.String(255))  # encrypted by Keys.encrypt
    claim_code_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("card_batches.id"), index=True)
    chip_uid: Mapped[str | None] = mapped_column(sa.String(20), unique=True)
    imported_tap_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[created]
    claimed_at: Mapped[datetime | None]
    replaced_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cards.id"), index=True)  # the new card
    order_line_id: Mapped[int | None] = mapped_column(bigint, index=True)  # no key: orders come later

    design: Mapped[Design | None] = relationship()
    owner: Mapped[User | None] = relationship()
    profile: Mapped[Profile | None] = relationship()
    batch: Mapped[CardBatch | None] = relationship()
    events: Mapped[list["CardEvent"]] = relationship(back_populates="card", order_by="CardEvent.id")

    @validates("token")
    def _upper(self, _key: str, value: str) -> str:
        return value.upper()

    @property
    def title(self) -> str:
        """Return the name to display: the alias, or the token if there is none."""
        return self.alias or self.token

    @property
    def is_set_up(self) -> bool:
        """Return whether the card has a destination."""
        if self.target is Target.URL:
            return bool(self.reroute_url)
        return self.target is Target.PROFILE and self.profile_id is not None


class CardEvent(Base):
    """One event in a card's history: who, when, from, to, why."""

    __tablename__ = "card_events"

    id: Mapped[pk]
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("cards.id"), index=True)
    happened_at: Mapped[created]
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    move: Mapped[CardMove]
    from_status: Mapped[CardStatus | None] = mapped_column(enum_type(CardStatus, "from_status"))
    to_status: Mapped[CardStatus] = mapped_column(enum_type(CardStatus, "to_status"))
    why: Mapped[str] = mapped_column(sa.String(200), default="")

    card: Mapped[Card] = relationship(back_populates="events")
    actor: Mapped[User | None] = relationship()


class TransferOutcome(enum.StrEnum):
    """How a transfer offer ended."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class CardTransfer(Base):
    """An offer to transfer a card to the user with an email address, who owns it after accepting."""

    __tablename__ = "card_transfers"
    __table_args__ = (
        sa.Index(
            "uq_card_transfers_open",
            "card_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended_somehow"),
    )

    id: Mapped[pk]
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("cards.id"), index=True)
    from_user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    to_email: Mapped[str] = mapped_column(sa.String(254), index=True)  # case-folded
    to_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)  # who accepted
    created_at: Mapped[created]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    outcome: Mapped[TransferOutcome | None]

    card: Mapped[Card] = relationship()
    from_user: Mapped[User] = relationship(foreign_keys=[from_user_id])


class BlockedHost(Base):
    """A host that cards must not open; cards with that destination have `is_blocked` set."""

    __tablename__ = "blocked_hosts"

    id: Mapped[pk]
    host: Mapped[str] = mapped_column(sa.String(HOST_LENGTH), unique=True)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    blocked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[created]
