"""Labels of states: complete, as agreed, and written in one place."""

import ast
import enum
import re
from pathlib import Path

import pytest
from flask import Flask

from tapcard.models import (
    Availability,
    Card,
    CardStatus,
    DesignStatus,
    EmailStatus,
    EnquiryStatus,
    LockedBecause,
    OrderStatus,
    PaymentStatus,
    ProductionStatus,
    ReviewStatus,
    SubscriberStatus,
    Target,
    TransferOutcome,
)
from tapcard.services.accounts import labels as account_labels
from tapcard.services.cards import labels as card_labels
from tapcard.services.catalogue import labels as catalogue_labels
from tapcard.services.content import labels as content_labels
from tapcard.services.orders import labels as order_labels
from tapcard.services.payments import labels as payment_labels
from tapcard.web import filters

PACKAGE = Path(filters.__file__).parent.parent

AGREED: dict[type[enum.StrEnum], dict[str, str]] = {
    OrderStatus: {
        "pending": "Awaiting payment",
        "paid": "Paid",
        "processing": "Processing",
        "ready": "Ready to collect",
        "shipped": "Shipped",
        "delivered": "Delivered",
        "canceled": "Cancelled",
        "expired": "Expired",
        "refunded": "Refunded",
    },
    ProductionStatus: {
        "queued": "Queued",
        "printed": "Printed",
        "adhered": "Encoded and assembled",
        "packed": "Packed",
    },
    PaymentStatus: {
        "created": "Starting",
        "pending": "Pending",
        "processing": "Processing",
        "succeeded": "Succeeded",
        "failed": "Failed",
        "canceled": "Cancelled",
        "expired": "Expired",
        "mismatch": "Needs review",
    },
    CardStatus: {"unclaimed": "Unclaimed", "active": "Active", "locked": "Locked", "retired": "Retired"},
    LockedBecause: {"lost": "Lost", "abuse": "Suspended", "closed": "Account closed"},
    DesignStatus: {"requested": "Awaiting approval", "approved": "Approved", "rejected": "Rejected"},
    TransferOutcome: {
        "accepted": "Accepted",
        "declined": "Declined",
        "withdrawn": "Cancelled",
        "expired": "Expired",
    },
    ReviewStatus: {"waiting": "Awaiting approval", "approved": "Approved", "rejected": "Rejected"},
    Availability: {"in_stock": "In stock", "out_of_stock": "Sold out", "pre_order": "Pre-order"},
    SubscriberStatus: {"pending": "Not confirmed", "subscribed": "Subscribed", "unsubscribed": "Unsubscribed"},
    EnquiryStatus: {"open": "Open", "answered": "Answered"},
    EmailStatus: {"confirmed": "Confirmed", "not_confirmed": "Not confirmed"},
}
EVERY_LABEL = {label for labels in AGREED.values() for label in labels.values()} | {
    card_labels.NOT_SET_UP,
    card_labels.ADDRESS_BLOCKED,
}
# other words for the same states
SYNONYMS = {
    "Awaiting delivery",
    "Canceled",
    "Completed",
    "Confirmation pending",
    "Dispatched",
    "Fulfilled",
    "Out of stock",
    "Preorder",
    "Sent out",
    "Stolen",
    "Unapproved",
    "Unconfirmed",
    "Unpaid",
    "Unread",
    "Unverified",
    "Verified",
    "Waiting for approval",
    "Waiting for payment",
}
LABEL_MODULES = {
    Path(module.__file__ or "")
    for module in (account_labels, card_labels, catalogue_labels, content_labels, order_labels, payment_labels)
}

EVERY_WORD = EVERY_LABEL | SYNONYMS
IGNORING_CASE = {word.lower() for word in EVERY_WORD}

TRANSLATED = re.compile(r"""(?:_|gettext|mark)\(\s*(?:"([^"]*)"|'([^']*)')""")
QUOTED = re.compile(r""""([^"\n]*)"|'([^'\n]*)'""")
EXPRESSION = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
BETWEEN_TAGS = re.compile(r">\s*([^<>{}]+?)\s*<")
UNLABELED_STATE = re.compile(
    r"\{\{[^{}]*\.(?:status|production_status|state|outcome|locked_because|availability|current_availability|email_status|gateway)"
    r"(?:\.value|\.name)?\s*(?:\|\s*(?!label\b|payment_method\b)[a-z]+[^{}|]*)*\}\}"
)


def test_every_state_has_the_agreed_label(app: Flask) -> None:
    assert filters.LABELS.keys() == AGREED.keys()
    with app.test_request_context():
        for states, agreed in AGREED.items():
            assert {state: filters.label(state) for state in states} == {state: agreed[state] for state in states}


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"status": CardStatus.UNCLAIMED}, "Unclaimed"),
        ({"status": CardStatus.ACTIVE, "target": Target.URL, "reroute_url": "https://example.com"}, "Active"),
        ({"status": CardStatus.ACTIVE}, "Not set up"),
        (
            {
                "status": CardStatus.ACTIVE,
                "target": Target.URL,
                "reroute_url": "https://example.com",
                "is_blocked": True,
            },
            "Address blocked",
        ),
        ({"status": CardStatus.LOCKED, "locked_because": LockedBecause.LOST}, "Lost"),
        ({"status": CardStatus.LOCKED, "locked_because": LockedBecause.ABUSE, "is_blocked": True}, "Suspended"),
        ({"status": CardStatus.LOCKED, "locked_because": LockedBecause.CLOSED}, "Account closed"),
        ({"status": CardStatus.RETIRED}, "Retired"),
    ],
)
def test_a_card_has_the_label_of_its_state(app: Flask, values: dict[str, object], label: str) -> None:
    with app.test_request_context():
        assert filters.label(Card(**values)) == label


def words_for_states(path: Path) -> set[str]:
    """Return the labels and their synonyms that a file has as a whole string or text, or the states it shows raw.

    Case counts where the values of the enums are written too, but not in text for people.
    """
    text = path.read_text()
    if path.suffix == ".py":
        nodes = ast.walk(ast.parse(text))
        strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        return strings & EVERY_WORD | said(TRANSLATED, text)
    if path.suffix == ".js":
        return matches(QUOTED, text) & EVERY_WORD
    quoted = {string for expression in EXPRESSION.findall(text) for string in matches(QUOTED, expression)}
    unlabeled = {match.group() for match in UNLABELED_STATE.finditer(text)}
    return quoted & EVERY_WORD | said(TRANSLATED, text) | said(BETWEEN_TAGS, text) | unlabeled


def matches(pattern: re.Pattern[str], text: str) -> set[str]:
    """Return the groups of every match."""
    return {group for match in pattern.finditer(text) for group in match.groups() if group}


def said(pattern: re.Pattern[str], text: str) -> set[str]:
    """Return the matches that are a word for a state, in whatever case and with a full stop or colon or not."""
    return {string for string in matches(pattern, text) if string.strip(" .:").lower() in IGNORING_CASE}


@pytest.mark.parametrize(
    ("name", "text", "is_found"),
    [
        ("a.py", 'x = _("Shipped")', True),
        ("a.py", 'x = _("Shipped on Monday")', False),
        ("a.html", "<td>{{ _('Shipped') }}</td>", True),
        ("a.html", "<td> Shipped </td>", True),
        ("a.html", "<td>{{ order.status|label }}</td>", False),
        ("a.html", "<td>{{ _('shipped.') }}</td>", True),
        ("a.html", "{{ chip('good', 'truck', 'Shipped') }}", True),
        ("a.html", "{% if order.status == 'shipped' %}", False),
        ("a.html", "<td>{{ _('Out of stock') }}</td>", True),
        ("a.html", "<td>{{ order.status }}</td>", True),
        ("a.html", "<td>{{ order.status.value|capitalize }}</td>", True),
        ("a.txt", "{{ _('Status') }}: {{ payment.status|upper }}", True),
        ("a.txt", "{{ payment.gateway }}", True),
        ("a.js", 'text = "Shipped"', True),
        ("a.js", 'if (state === "shipped")', False),
        ("a.py", 'x = "shipped"', False),
        ("a.py", 'x = _("canceled")', True),
    ],
)
def test_a_label_is_found_in_either_kind_of_file(tmp_path: Path, name: str, text: str, is_found: bool) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert bool(words_for_states(path)) is is_found


def test_no_other_file_has_a_label_of_its_own() -> None:
    paths = [path for kind in ("py", "html", "txt", "js") for path in PACKAGE.rglob(f"*.{kind}")]
    paths = [path for path in paths if path not in LABEL_MODULES and "vendor" not in path.parts]
    assert len(paths) > 300
    found_labels = {path.relative_to(PACKAGE).as_posix(): words_for_states(path) for path in paths}
    assert {name: labels for name, labels in found_labels.items() if labels} == {}
