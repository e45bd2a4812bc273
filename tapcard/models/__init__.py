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
    ClaimPolicy,
    Design,
    DesignStatus,
    LockedBecause,
    Target,
)
from .outbox import OutboxMessage, Schedule
from .profiles import SOCIALS, Profile, ProfileAction, ProfileActionKind, ProfileLink, ProfileTheme
from .sessions import WebSession
from .settings import Setting
from .taps import Channel, Device, Outcome, ShopTapDay, SpoolFile, Tap, TapDay, TapHour, UserAgent, VisitorKey
from .throttles import ThrottleCounter
from .users import LinkPurpose, LinkToken, Role, User, user_roles

__all__ = [
    "MOVES",
    "SOCIALS",
    "AuditEntry",
    "BlockedHost",
    "Card",
    "CardBatch",
    "CardEvent",
    "CardMove",
    "CardStatus",
    "Channel",
    "ClaimPolicy",
    "Design",
    "DesignStatus",
    "Device",
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
    "User",
    "UserAgent",
    "VisitorKey",
    "WebSession",
    "user_roles",
]
