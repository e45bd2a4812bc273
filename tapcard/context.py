"""The rule context: shop settings, keys, time and actor, which many rules need together."""

from dataclasses import dataclass
from datetime import datetime

from .keys import Keys
from .models import User
from .settings import ShopSettings


@dataclass(frozen=True)
class RuleContext:
    """The facts about the shop and the request that rules are given; `actor` is None for guests and jobs."""

    shop: ShopSettings
    keys: Keys
    now: datetime
    actor: User | None = None
