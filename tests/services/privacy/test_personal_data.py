"""The list of personal data: complete, and the same in code and documentation."""

import re
from pathlib import Path

import sqlalchemy as sa

from tapcard import registry, subjects
from tapcard.db import db

subjects.load()  # load all declarations independent of test order
PRIVACY = Path(__file__).resolve().parents[3] / "docs" / "privacy.md"


def documented_rows() -> dict[str, tuple[set[str], str]]:
    """Return the table in docs/privacy.md: by name, the database tables and the effect of erasing."""
    section = PRIVACY.read_text().split("## Personal data")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: (set(re.findall(r"`(\w+)`", row[1])), row[4]) for row in cells}


def test_documentation_and_code_list_the_same_personal_data() -> None:
    documented = documented_rows()
    assert set(documented) == {rule.data for rule in registry.personal_data}
    for item in registry.personal_data:
        tables, erasing_does = documented[item.data]
        assert tables == set(item.columns), item.data
        assert erasing_does, item.data


def test_every_text_column_is_classified() -> None:
    known = [
        (table, column)
        for rule in registry.personal_data
        for table, columns in rule.columns.items()
        for column in columns
    ]
    known += registry.other_columns
    assert len(known) == len(set(known)), "a column is listed twice"
    telling = {
        (table.name, column.name)
        for table in db.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.String | sa.JSON | sa.LargeBinary | sa.Date)
        and not isinstance(column.type, sa.Enum)
    }  # fmt: skip
    assert telling - set(known) == set(), "declare them in services/<subject>/declarations.py and docs/privacy.md"
    assert set(known) - telling == set(), "these columns no longer exist"
