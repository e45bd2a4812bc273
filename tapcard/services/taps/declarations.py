"""Declarations of taps: permissions, uploads, personal data."""

import sqlalchemy as sa

from ...db import execute_update
from ...models import Tap
from ...registry import Person, PersonalDataRule, declare_other_columns, declare_personal_data


def _blank_own_taps(person: Person) -> None:
    """Blank a person's taps of their own cards, which show where they were; the counts stay."""
    blank = {"visitor": "", "user_agent_id": None, "language": "", "referrer_host": "", "country": ""}
    execute_update(sa.update(Tap).where(Tap.owner_id == person.id, Tap.is_own).values(**blank))


declare_personal_data(
    PersonalDataRule(
        "of **visitors**: user agent, language, referring host, country, daily pseudonym",
        {"taps": ("language", "referrer_host", "country", "visitor"), "user_agents": ("text",)},
        _blank_own_taps,
    ),
)
declare_other_columns(
    {
        "spool_files": ("name",),
        "taps": ("uid", "token"),
        "user_agents": ("os_family",),
        "visitor_keys": ("day_on", "key"),
        "tap_hours": ("country",),
        "tap_days": ("country", "day_on"),
        "shop_tap_days": ("country", "day_on"),
    }
)
