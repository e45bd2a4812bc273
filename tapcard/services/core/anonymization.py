"""Anonymization: placeholders for erased data, and deletion of a person's rows."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from ...db import execute_update
from ...registry import Person

RETIRED_REASON = "account erased"  # stored with the events of cards
ERASED_HOST = "erased.invalid"  # RFC 2606: reserved, so that no email is ever delivered and no sign-up succeeds


def erased_email(user_id: int) -> str:
    """Return the address that an erased account has instead of its own."""
    return f"erased-{user_id}@{ERASED_HOST}"


def is_erased_email(email: str) -> bool:
    """Return whether an address belongs to an erased account; no email can reach it."""
    return email.endswith(f"@{ERASED_HOST}")


def delete_rows_of(*columns: InstrumentedAttribute[Any]) -> Callable[[Person], None]:
    """Return a function that deletes every row with the person's id in one of the columns."""

    def delete(person: Person) -> None:
        for column in columns:
            execute_update(sa.delete(column.class_).where(column == person.id))

    return delete
