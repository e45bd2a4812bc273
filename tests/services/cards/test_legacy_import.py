"""Importing the cards of the legacy system: rows, accounts, errors."""

import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import AuditEntry, Card, CardEvent, CardMove, CardStatus, ClaimPolicy, Design, Target, User
from tapcard.services.accounts import registration
from tapcard.services.cards import cards, claims, legacy_import
from tapcard.services.cards.legacy_import import COLUMNS, ImportReport

HEADER = ",".join(COLUMNS)
ADA = "OLD0001,Ada@Example.com,Ada,Obi,Everyday,example.com/ada,no,Lake at dusk,41"


@pytest.fixture
def import_lines(app: Flask, keys: Keys) -> Callable[..., ImportReport]:
    """Return a function that imports lines below a header."""

    def run(*lines: str, header: str = HEADER) -> ImportReport:
        file = io.StringIO("\n".join((header, *lines)) + "\n", newline="")
        return legacy_import.import_cards(file, {"cards.example"}, keys)

    return run


def count_rows(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_a_row_creates_a_card_and_an_account_without_a_password(
    import_lines: Callable[..., ImportReport], design: Design
) -> None:
    report = import_lines(ADA)
    db.session.commit()
    assert (report.added, report.unchanged, report.errors) == (1, 0, [])
    card = db.session.scalars(sa.select(Card)).one()
    assert (card.token, card.alias, card.status, card.design) == ("OLD0001", "Everyday", CardStatus.ACTIVE, design)
    assert (card.target, card.reroute_url) == (Target.URL, "https://example.com/ada")
    assert card.reroute_host == "example.com"
    assert card.imported_tap_count == 41
    assert (card.claim_code, card.claim_code_hash) == (None, None)
    owner = card.owner
    assert owner is not None
    assert (owner.email, owner.full_name) == ("ada@example.com", "Ada Obi")
    assert (owner.password_hash, owner.verified_at, owner.roles) == (None, None, [])
    [event] = card.events
    assert (event.move, event.from_status, event.to_status) == (CardMove.MAKE, None, CardStatus.ACTIVE)
    tags = db.session.scalars(sa.select(AuditEntry.tag).order_by(AuditEntry.id)).all()
    assert tags == ["user.made", "cards.imported"]


def test_a_row_without_an_email_address_creates_an_unclaimed_card(
    import_lines: Callable[..., ImportReport], keys: Keys, ada: User
) -> None:
    assert import_lines("OLD0002,,,,,,,,").added == 1
    card = db.session.scalars(sa.select(Card)).one()
    assert (card.status, card.owner, card.claim_policy) == (CardStatus.UNCLAIMED, None, ClaimPolicy.CODE)
    code = claims.read_claim_code(card, keys)
    assert code is not None
    claims.claim(card, ada, keys, code=code)


@pytest.mark.usefixtures("design")
def test_importing_the_same_file_twice_changes_nothing(import_lines: Callable[..., ImportReport]) -> None:
    lines = (ADA, "OLD0002,,,,,,,,", "old0003,cleo@example.com,Cleo,Nemo,,,yes,,0")
    import_lines(*lines)
    db.session.commit()
    card = cards.get_by_token("OLD0001")
    assert card is not None
    card.alias = "Renamed"
    db.session.commit()
    before = [count_rows(model) for model in (Card, User, CardEvent, AuditEntry)]
    report = import_lines(*lines)
    db.session.commit()
    assert (report.added, report.unchanged, report.errors) == (0, 3, [])
    assert [count_rows(model) for model in (Card, User, CardEvent, AuditEntry)] == before
    assert card.alias == "Renamed"


def test_several_cards_of_one_person_create_one_account(import_lines: Callable[..., ImportReport]) -> None:
    report = import_lines("OLD1,ada@example.com,Ada,Obi,One,,,,", "OLD2, ADA@example.com ,Ada,Obi,Two,,,,")
    assert (report.added, report.errors) == (2, [])
    assert count_rows(User) == 1


def test_an_existing_account_gets_the_card_and_stays_unchanged(
    import_lines: Callable[..., ImportReport], ada: User
) -> None:
    password_hash = ada.password_hash
    assert import_lines("OLD1,ada@example.com,Someone,Else,,,,,").added == 1
    assert [card.token for card in db.session.scalars(cards.owned_by(ada))] == ["OLD1"]
    assert (ada.full_name, ada.password_hash) == ("Ada Obi", password_hash)


def test_an_unverified_account_gets_no_card(
    import_lines: Callable[..., ImportReport], create_user: Callable[..., User]
) -> None:
    create_user("ada@example.com", verified=False)
    [(number, message)] = import_lines("OLD1,ada@example.com,Ada,Obi,,,,,").errors
    assert number == 2
    assert "not confirmed" in message


@pytest.mark.parametrize("word", ["yes", "1", "True", "Y"])
def test_a_row_can_set_the_profile_as_target(import_lines: Callable[..., ImportReport], word: str) -> None:
    import_lines(f"OLD1,ada@example.com,Ada,Obi,,example.com,{word},,")
    card = db.session.scalars(sa.select(Card)).one()
    assert (card.target, card.profile, card.reroute_url) == (Target.PROFILE, None, "https://example.com")


@pytest.mark.parametrize("word", ["no", "0", "FALSE", "n", ""])
def test_a_row_can_set_an_address_as_target(import_lines: Callable[..., ImportReport], word: str) -> None:
    import_lines(f"OLD1,ada@example.com,Ada,Obi,,example.com,{word},,")
    assert db.session.scalars(sa.select(Card.target)).one() is Target.URL


def test_a_row_can_leave_the_target_empty(import_lines: Callable[..., ImportReport]) -> None:
    import_lines("OLD1,ada@example.com,Ada,Obi,,,,,")
    assert db.session.scalars(sa.select(Card.target)).one() is None


@pytest.mark.parametrize(
    "header",
    [
        "\ufeff" + HEADER,
        HEADER.upper(),
        " , ".join(COLUMNS),
        "\ufeff" + ",".join(name.title() + " " for name in COLUMNS),
        HEADER + ",shoe size,",
    ],
)
@pytest.mark.usefixtures("design")
def test_the_header_is_read_in_any_spelling(import_lines: Callable[..., ImportReport], header: str) -> None:
    report = import_lines(ADA + ",44,", header=header)
    assert (report.added, report.errors) == (1, [])
    assert db.session.scalars(sa.select(Card.alias)).one() == "Everyday"


def test_columns_can_be_in_any_order_and_be_missing(import_lines: Callable[..., ImportReport]) -> None:
    report = import_lines("ada@example.com,OLD1", header="email,token")
    assert (report.added, report.errors) == (1, [])


@pytest.mark.parametrize("header", ["", "email,alias", "tokens", "OLD0001;ada@example.com"])
def test_a_file_without_a_token_column_is_refused(import_lines: Callable[..., ImportReport], header: str) -> None:
    report = import_lines(ADA, header=header)
    assert report.added == 0
    assert [number for number, _message in report.errors] == [1]


def test_an_empty_file_is_refused(app: Flask, keys: Keys) -> None:
    assert legacy_import.import_cards(io.StringIO(""), (), keys).errors


def test_empty_lines_are_skipped_and_counted(import_lines: Callable[..., ImportReport]) -> None:
    report = import_lines("", ",,,,,,,,", "OLD1,,,,,,,,", "", "BAD-1,,,,,,,,")
    assert report.added == 1
    assert [number for number, _message in report.errors] == [6]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("BAD-TOKEN,,,,,,,,", "token"),
        ("TOOLONGTOKEN123456789,,,,,,,,", "token"),
        ("ÄÖÜ,,,,,,,,", "token"),
        (",ada@example.com,,,,,,,", "token"),
        ("OLD1,not an address,,,,,,,", "email"),
        ("OLD1,ada@example.com,,,,javascript:alert(1),,,", "Start the address with"),
        ("OLD1,ada@example.com,,,,http://cards.example/t/OLD2,,,", "circles"),
        ("OLD1,ada@example.com,,,,,perhaps,,", "show_profile"),
        ("OLD1,ada@example.com,,,,,,No such design,", "design"),
        ("OLD1,ada@example.com,,,,,,,many", "taps"),
        ("OLD1,ada@example.com,,,,,,,-1", "taps"),
        ("OLD1,ada@example.com,,,,,,,99999999999", "taps"),
        ("OLD1,ada@example.com,,," + "x" * 61 + ",,,,", "60"),
        ("OLD1,ada@example.com,,,a\0b,,,,", "control"),
        ("OLD1,ada@example.com,A\x07da,,,,,,", "control"),
        ("GOOD1,,,,,,,,", "more than once"),
        ("OLD1,ada@example.com,,,work,,,,", "called “work”"),
        ('OLD1,ada@example.com,,,"' + "x" * 200_000, "CSV"),
    ],
)
def test_an_invalid_row_is_reported_and_the_others_are_checked(
    import_lines: Callable[..., ImportReport], create_card: Callable[..., Card], ada: User, row: str, says: str
) -> None:
    create_card(ada, alias="Work")
    report = import_lines("GOOD1,,,,,,,,", row)
    assert [number for number, _message in report.errors] == [3]
    assert says in report.errors[0][1]
    assert report.added == 1


def test_every_invalid_row_is_reported(import_lines: Callable[..., ImportReport]) -> None:
    report = import_lines("BAD-1,,,,,,,,", "GOOD1,,,,,,,,", "GOOD2,ada@,,,,,,,", "GOOD3,,,,,,,,x")
    assert [number for number, _message in report.errors] == [2, 4, 5]


def test_a_card_name_used_twice_in_the_file_is_reported(import_lines: Callable[..., ImportReport]) -> None:
    report = import_lines(
        "OLD1,ada@example.com,,,Work,,,,", "OLD2,ada@example.com,,,WORK,,,,", "OLD3,b@example.com,,,Work,,,,"
    )
    assert [number for number, _message in report.errors] == [3]


def test_an_import_with_errors_is_not_audited(import_lines: Callable[..., ImportReport]) -> None:
    assert import_lines("BAD-1,,,,,,,,", "GOOD1,,,,,,,,").errors
    db.session.flush()
    assert count_rows(AuditEntry) == 0


def test_a_long_name_is_truncated(import_lines: Callable[..., ImportReport]) -> None:
    assert import_lines(f"OLD1,ada@example.com,{'A' * 80},{'O' * 80},,,,,").errors == []
    db.session.commit()
    owner = registration.find_user("ada@example.com")
    assert owner is not None
    assert owner.first_name == "A" * 50
