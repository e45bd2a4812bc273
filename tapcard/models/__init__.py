"""Every table of the application."""

from .audit import AuditEntry
from .cards import (
    MOVES,
    BlockedHost,
    Card,
    CardBatch,
    CardEvent,
    CardMove,
    CardStatus,
    CardTransfer,
    ClaimPolicy,
    Design,
    DesignStatus,
    LockedBecause,
    Target,
    TransferOutcome,
)
from .outbox import OutboxMessage, Schedule
from .profiles import SOCIALS, FormerSlug, Lead, Profile, ProfileAction, ProfileActionKind, ProfileLink, ProfileTheme
from .sessions import WebSession
from .settings import Setting
from .taps import Channel, Device, Outcome, ShopTapDay, SpoolFile, Tap, TapDay, TapHour, UserAgent, VisitorKey
from .throttles import ThrottleCounter
from .users import Address, LinkPurpose, LinkToken, RecoveryCode, Role, TwoFactor, User, user_roles

__all__ = [
    "MOVES",
    "SOCIALS",
    "Address",
    "AuditEntry",
    "BlockedHost",
    "Card",
    "CardBatch",
    "CardEvent",
    "CardMove",
    "CardStatus",
    "CardTransfer",
    "Channel",
    "ClaimPolicy",
    "Design",
    "DesignStatus",
    "Device",
    "FormerSlug",
    "Lead",
    "LinkPurpose",
    "LinkToken",
    "LockedBecause",
    "OutboxMessage",
    "Outcome",
    "Profile",
    "ProfileAction",
    "ProfileActionKind",
    "ProfileLink",
    "ProfileTheme",
    "RecoveryCode",
    "Role",
    "Schedule",
    "Setting",
    "ShopTapDay",
    "SpoolFile",
    "Tap",
    "TapDay",
    "TapHour",
    "Target",
    "ThrottleCounter",
    "TransferOutcome",
    "TwoFactor",
    "User",
    "UserAgent",
    "VisitorKey",
    "WebSession",
    "user_roles",
]
