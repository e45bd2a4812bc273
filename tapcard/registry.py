"""Registries of what each subject declares next to its own code; `tapcard/subjects.py` lists the subjects.

A subject declares permissions, columns of uploads, personal data and audit labels in
`services/<subject>/declarations.py`, emails in `mails/<subject>.py` (`tapcard.mail.kind`), scheduled jobs and other
outbox handlers in `workflows/<subject>.py`.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")
JobFunction = TypeVar("JobFunction", bound=Callable[[], None])
FulfillmentFunction = TypeVar("FulfillmentFunction", bound=Callable[..., bool])
HandlerFunction = TypeVar("HandlerFunction", bound=Callable[..., Any])


class Registry(dict[K, V]):
    """Declarations by name; a name that is declared twice is an error."""

    def declare(self, name: K, value: V) -> None:
        """Add a declaration; raises `ValueError` for a name that is taken by another value."""
        if self.setdefault(name, value) != value:
            raise ValueError(f"{name!r} is declared twice")


# --- permissions ------------------------------------------------------------------------------------------------------

permissions: Registry[str, frozenset[str]] = Registry()  # by name, like "orders.view": the roles that have it


def declare_permissions(*names: str, roles: tuple[str, ...] = ("staff",)) -> None:
    """Declare permissions and the fixed roles that have them; the owner has every permission anyway."""
    for name in names:
        permissions.declare(name, frozenset(roles))


# --- scheduled jobs and outbox handlers -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A function that the worker runs at an interval; it may commit."""

    every: timedelta
    run: Callable[[], None]


jobs: Registry[str, Job] = Registry()  # by name, like "carts.purge": the name of its row in `schedules`
outbox_handlers: Registry[str, Callable[..., Any]] = Registry()  # by outbox kind, apart from emails


def job(name: str, *, every: timedelta) -> Callable[[JobFunction], JobFunction]:
    """Declare a function as a scheduled job."""

    def register(function: JobFunction) -> JobFunction:
        jobs.declare(name, Job(every, function))
        return function

    return register


def handles(kind: str) -> Callable[[HandlerFunction], HandlerFunction]:
    """Declare the function that delivers outbox messages of a kind, apart from emails; it gets the payload."""

    def register(function: HandlerFunction) -> HandlerFunction:
        outbox_handlers.declare(kind, function)
        return function

    return register


# --- fulfilment -------------------------------------------------------------------------------------------------------

# By kind of order line: provides the goods that were paid for, and returns False if that is no longer possible.
fulfillments: Registry[str, Callable[..., bool]] = Registry()


def fulfills(*kinds: str) -> Callable[[FulfillmentFunction], FulfillmentFunction]:
    """Declare the function that fulfills order lines of some kinds; it gets the line, the keys and the time."""

    def register(function: FulfillmentFunction) -> FulfillmentFunction:
        for kind in kinds:
            fulfillments.declare(kind, function)
        return function

    return register


# --- audit log --------------------------------------------------------------------------------------------------------

audit_actions: dict[str, Any] = {}  # lazy translations by audit tag, like "card.claimed"
audit_objects: dict[str, Any] = {}  # lazy translations by table


def declare_audit_labels(actions: Mapping[str, Any], objects: Mapping[str, Any]) -> None:
    """Declare what staff read in the audit log, for actions by their tags and for objects by their tables."""
    audit_actions.update(actions)
    audit_objects.update(objects)


# --- menus ------------------------------------------------------------------------------------------------------------


class Menu(enum.StrEnum):
    """The menus that subjects add entries to."""

    VISITOR = "visitor"  # at the top, for visitors who are not logged in
    HOLDER = "holder"  # at the top, for people who are logged in
    ACCOUNT = "account"  # below a person's name
    FOOTER = "footer"
    BACK_OFFICE = "back_office"


@dataclass(frozen=True)
class MenuEntry:
    """A page in a menu; visitors who may not open the page do not see the entry."""

    menu: Menu
    endpoint: str
    label: Any  # a lazy translation
    position: int  # entries are shown in this order
    icon: str = ""
    pages: frozenset[str] = frozenset()  # endpoints on which the entry counts as current, if not its own alone
    anchor: str | None = None


menu_entries: Registry[tuple[Menu, str, str | None], MenuEntry] = Registry()


def declare_menu_entries(*entries: MenuEntry) -> None:
    """Declare pages that menus link to."""
    for entry in entries:
        if (entry.menu, entry.endpoint, entry.anchor) not in menu_entries:
            menu_entries.declare((entry.menu, entry.endpoint, entry.anchor), entry)


def entries_of(menu: Menu) -> list[MenuEntry]:
    """Return the entries of a menu in the order in which they are shown."""
    entries = [entry for entry in menu_entries.values() if entry.menu is menu]
    return sorted(entries, key=lambda entry: entry.position)


# --- uploads ----------------------------------------------------------------------------------------------------------

upload_columns: list[Any] = []  # mapped columns that hold the name of an upload
upload_list_columns: list[Any] = []  # mapped JSON columns that hold a list of such names


def declare_uploads(*columns: Any, lists: tuple[Any, ...] = ()) -> None:
    """Declare columns that refer to uploads; uploads in none of them are deleted."""
    upload_columns.extend(columns)
    upload_list_columns.extend(lists)


# --- personal data ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A person to erase with the ids of their rows and their uploads, read before anything is deleted."""

    id: int
    emails: frozenset[str]
    full_name: str
    profile_ids: frozenset[int]
    card_ids: frozenset[int]
    lead_ids: frozenset[int]
    link_ids: frozenset[int]
    transfer_ids: frozenset[int]
    order_ids: frozenset[int]
    uploads: frozenset[str]


@dataclass(frozen=True)
class PersonalDataRule:
    """One row of the table in `docs/privacy.md`: columns with personal data by table, and how they are erased.

    Without `erase` they stay or expire on their own, and the table says why. Rules of dependent subjects run before
    those of the subjects they depend on; rules with `runs_first` run before all others.
    """

    data: str
    columns: Mapping[str, tuple[str, ...]]
    erase: Callable[[Person], None] | None = None
    runs_first: bool = False


personal_data: list[PersonalDataRule] = []  # in the order of the subjects
other_columns: Registry[tuple[str, str], bool] = Registry()  # (table, column) with text that is not personal data


def declare_personal_data(*rules: PersonalDataRule) -> None:
    """Declare columns with personal data and how they are erased."""
    personal_data.extend(rule for rule in rules if rule not in personal_data)


def declare_other_columns(columns: Mapping[str, tuple[str, ...]]) -> None:
    """Declare columns with text, dates, JSON or bytes that are not personal data, by table."""
    for table, names in columns.items():
        for name in names:
            other_columns.declare((table, name), True)


def erasure_rules() -> list[PersonalDataRule]:
    """Return the personal data rules in the order in which a person is erased."""
    ordered = list(reversed(personal_data))
    return sorted(ordered, key=lambda rule: not rule.runs_first)
