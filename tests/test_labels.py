"""Labels of states: complete, as agreed, and written in one place."""

import ast
import enum
import re
from pathlib import Path

import pytest
from flask import Flask

from tapcard.models import (
    Card,
    CardStatus,
    DesignStatus,
    LockedBecause,
    OrderStatus,
    PaymentStatus,
    ProductionStatus,
    ReviewStatus,
    Target,
    TransferOutcome,
)
from tapcard.services.cards import labels as card_labels
from tapcard.services.catalogue import labels as catalogue_labels
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
        "withdrawn": "Withdrawn",
        "expired": "Expired",
    },
    ReviewStatus: {"waiting": "Awaiting approval", "approved": "Approved", "rejected": "Rejected"},
}
EVERY_LABEL = {label for labels in AGREED.values() for label in labels.values()} | {
    card_labels.NOT_SET_UP,
    card_labels.ADDRESS_BLOCKED,
}
LABEL_MODULES = {
    Path(module.__file__ or "") for module in (card_labels, catalogue_labels, order_labels, payment_labels)
}

QUOTED = re.compile(r"""(?:_|gettext)\(\s*(?:"([^"]*)"|'([^']*)')""")
BETWEEN_TAGS = re.compile(r">\s*([^<>{}]+?)\s*<")


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


def strings_of(path: Path) -> set[str]:
    """Return every whole string of a Python file, or every text and quoted sentence of a template."""
    text = path.read_text()
    if path.suffix == ".py":
        return {
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    quoted = {double or single for double, single in QUOTED.findall(text)}
    return quoted | set(BETWEEN_TAGS.findall(text))


@pytest.mark.parametrize(
    ("name", "text", "is_found"),
    [
        ("a.py", 'x = _("Shipped")', True),
        ("a.py", 'x = _("Shipped on Monday")', False),
        ("a.html", "<td>{{ _('Shipped') }}</td>", True),
        ("a.html", "<td> Shipped </td>", True),
        ("a.html", "<td>{{ order.status|label }}</td>", False),
    ],
)
def test_a_label_is_found_in_either_kind_of_file(tmp_path: Path, name: str, text: str, is_found: bool) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert bool(strings_of(path) & EVERY_LABEL) is is_found


def test_no_other_file_has_a_label_of_its_own() -> None:
    paths = [path for kind in ("py", "html", "txt") for path in PACKAGE.rglob(f"*.{kind}") if path not in LABEL_MODULES]
    assert len(paths) > 300
    found_labels = {path.relative_to(PACKAGE).as_posix(): strings_of(path) & EVERY_LABEL for path in paths}
    assert {name: labels for name, labels in found_labels.items() if labels} == {}
