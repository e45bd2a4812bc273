"""Commands: results, refusals, and no changes after a refusal."""

import csv
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from tapcard.cli import cards as card_commands
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import AuditEntry, Card, CardBatch, ClaimPolicy, Design, RecoveryCode, Tap, TwoFactor, User
from tapcard.services.accounts import registration, two_factor
from tests.conftest import PASSWORD, FormClient, login

HEADER = "token,email,first_name,last_name,alias,reroute_url,show_profile,design,taps\n"


@pytest.fixture
def run_command(app: Flask) -> Callable[..., Result]:
    """Return a function that runs a command and rolls back what it did not commit."""

    def invoke(*arguments: str, text: str = "", app: Flask = app) -> Result:
        db.session.commit()
        with app.app_context():
            result = app.test_cli_runner().invoke(args=list(arguments), input=text)
            db.session.rollback()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def count_rows(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- cards make -------------------------------------------------------------------------------------------------------


@pytest.fixture
def make_cards(run_command: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """Return a function that creates cards and writes `spring.csv`."""
    return lambda *arguments: run_command("cards", "make", "--out", str(tmp_path / "spring.csv"), *arguments)


def test_a_batch_is_created_and_written_to_a_file(
    make_cards: Callable[..., Result], tmp_path: Path, design: Design, client: FormClient, ada: User
) -> None:
    result = make_cards("--design", design.name, "--count", "3")
    path = tmp_path / "spring.csv"
    assert result.exit_code == 0
    assert result.output == f"Cards created: 3. Saved to {path}.\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = rows_of(path)
    batch_cards = {card.token: card for card in db.session.scalars(sa.select(Card))}
    assert set(batch_cards) == {row["token"] for row in rows}
    assert {card.design for card in batch_cards.values()} == {design}
    assert {card.batch.name for card in batch_cards.values() if card.batch} == {"spring"}
    for row in rows:
        assert row["tap_url"] == f"http://localhost/t/{row['token']}"
        assert row["qr_url"] == f"http://localhost/q/{row['token']}"
    login(client, ada)
    for row in rows:
        response = client.post(f"/activate/{row['token']}", data={"code": row["claim_code"]})
        assert response.location == f"/cards/{row['token']}"
        assert batch_cards[row["token"]].owner is ada


@pytest.mark.parametrize("policy", ["open", "pay"])
def test_cards_of_other_policies_have_no_code(make_cards: Callable[..., Result], tmp_path: Path, policy: str) -> None:
    assert make_cards("--count", "1", "--policy", policy, "--batch", "for the fair").exit_code == 0
    card = db.session.scalars(sa.select(Card)).one()
    assert card.claim_policy is ClaimPolicy(policy)
    assert card.batch is not None
    assert card.batch.name == "for the fair"
    assert [row["claim_code"] for row in rows_of(tmp_path / "spring.csv")] == [""]


def test_an_existing_file_is_not_overwritten(make_cards: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "spring.csv").write_text("codes of other cards")
    result = make_cards("--count", "1")
    assert result.exit_code == 1
    assert "already exists. No cards were created" in result.output
    assert (tmp_path / "spring.csv").read_text() == "codes of other cards"
    assert count_rows(Card) == 0


def test_a_batch_with_a_used_name_is_refused_and_leaves_no_file(
    make_cards: Callable[..., Result], tmp_path: Path
) -> None:
    db.session.add(CardBatch(name="spring"))
    result = make_cards("--count", "1")
    assert result.exit_code == 1
    assert "A batch with this name already exists." in result.output
    assert not (tmp_path / "spring.csv").exists()
    assert count_rows(Card) == 0


def test_a_missing_folder_is_reported(run_command: Callable[..., Result], tmp_path: Path) -> None:
    result = run_command("cards", "make", "--count", "1", "--out", str(tmp_path / "no" / "spring.csv"))
    assert result.exit_code == 1
    assert "Can't write" in result.output
    assert count_rows(Card) == 0


@pytest.mark.usefixtures("design")
def test_an_unknown_design_is_refused_with_a_list_of_designs(make_cards: Callable[..., Result], tmp_path: Path) -> None:
    result = make_cards("--count", "1", "--design", "Lake at dawn")
    assert result.exit_code == 1
    assert "Available designs: Lake at dusk." in result.output
    assert not (tmp_path / "spring.csv").exists()


@pytest.mark.parametrize("count", ["0", "-1", "10001", "many", ""])
def test_a_batch_has_1_to_10000_cards(make_cards: Callable[..., Result], tmp_path: Path, count: str) -> None:
    assert make_cards("--count", count).exit_code == 2
    assert not (tmp_path / "spring.csv").exists()


def test_a_write_error_creates_no_cards(make_cards: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(card_commands.os, "fsync", full)
    result = make_cards("--count", "1")
    assert "No space left on device" in result.output
    assert count_rows(Card) == 0


# --- cards import -----------------------------------------------------------------------------------------------------


@pytest.fixture
def legacy_file(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that writes a file of the legacy system."""

    def write(rows: str, encoding: str = "utf-8-sig") -> str:
        path = tmp_path / "legacy.csv"
        path.write_bytes((HEADER + rows).encode(encoding))
        return str(path)

    return write


def test_a_dry_run_reports_and_changes_nothing(
    run_command: Callable[..., Result], legacy_file: Callable[[str], str]
) -> None:
    result = run_command(
        "cards", "import", "--dry-run", legacy_file("OLD1,ada@example.com,Ada,Obi,,example.com,,,7\nOLD2,,,,,,,,\n")
    )
    assert result.output == "Dry run: 2 to add, 0 unchanged, 0 with errors.\n"
    assert (count_rows(Card), count_rows(User), count_rows(AuditEntry)) == (0, 0, 0)


def test_an_import_adds_new_cards_once(run_command: Callable[..., Result], legacy_file: Callable[[str], str]) -> None:
    path = legacy_file("OLD1,ada@example.com,Ada,Óbi,,example.com,,,7\nOLD2,,,,,,,,\n")
    assert run_command("cards", "import", path).output == "Imported: 2 added, 0 unchanged.\n"
    assert run_command("cards", "import", path).output == "Imported: 0 added, 2 unchanged.\n"
    assert count_rows(Card) == 2
    owner = registration.find_user("ada@example.com")
    assert owner is not None
    assert owner.last_name == "Óbi"


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_an_invalid_row_stops_the_import(
    run_command: Callable[..., Result], legacy_file: Callable[[str], str], arguments: list[str]
) -> None:
    result = run_command(
        "cards", "import", *arguments, legacy_file("OLD1,ada@example.com,Ada,Obi,,,,,\nOLD 2,,,,,,,,\n")
    )
    assert result.exit_code == 1
    assert "Row 3: The token “OLD 2”" in result.output
    assert "Nothing was imported (1 to add, 0 unchanged, 1 with errors)." in result.output
    assert (count_rows(Card), count_rows(User), count_rows(AuditEntry)) == (0, 0, 0)


def test_own_tap_addresses_are_refused_as_targets(
    run_command: Callable[..., Result], other_app: Callable[..., Flask], legacy_file: Callable[[str], str]
) -> None:
    path = legacy_file("OLD1,ada@example.com,Ada,Obi,,https://cards.example.com/t/OLD1,,,\n")
    result = run_command("cards", "import", path, app=other_app(site_url="https://cards.example.com"))
    assert result.exit_code == 1
    assert "round in circles" in result.output
    assert run_command("cards", "import", path).exit_code == 0


def test_a_file_in_another_encoding_is_refused(
    run_command: Callable[..., Result], legacy_file: Callable[..., str]
) -> None:
    result = run_command("cards", "import", legacy_file("OLD1,ada@example.com,Adé,Obi,,,,,\n", encoding="latin-1"))
    assert result.exit_code == 1
    assert "isn't UTF-8" in result.output
    assert count_rows(Card) == 0


# --- blocked hosts ----------------------------------------------------------------------------------------------------


def test_a_host_is_blocked_and_unblocked(run_command: Callable[..., Result], card: Card, client: FormClient) -> None:
    assert run_command("cards", "block-host", "EXAMPLE.com.", "--reason", "phishing").output == (
        "Blocked example.com. Cards affected: 1.\n"
    )
    assert "deactivated" in client.get(f"/t/{card.token}").text
    assert run_command("cards", "unblock-host", "example.com").output == "Unblocked example.com.\n"
    assert client.get(f"/t/{card.token}").location == "https://example.com/"


@pytest.mark.parametrize("command", ["block-host", "unblock-host"])
@pytest.mark.parametrize("host", ["", "no host", "mailto:a@b.example"])
def test_an_invalid_host_is_refused(run_command: Callable[..., Result], command: str, host: str) -> None:
    result = run_command("cards", command, host)
    assert result.exit_code == 1
    assert "Enter a domain" in result.output


def test_a_host_that_is_not_blocked_cannot_be_unblocked(run_command: Callable[..., Result]) -> None:
    result = run_command("cards", "unblock-host", "good.example")
    assert result.exit_code == 1
    assert "This domain isn't blocked." in result.output


# --- users ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def create_owner(run_command: Callable[..., Result]) -> Callable[..., Result]:
    """Return a function that creates the owner with a password from standard input."""

    def invoke(email: str = "olu@example.com", password: str = PASSWORD) -> Result:
        names = ("--first-name", "Olu", "--last-name", "Ade")
        return run_command("users", "create-owner", "--email", email, *names, text=password + "\n")

    return invoke


def test_the_owner_is_created_with_a_password_from_standard_input(
    create_owner: Callable[..., Result], client: FormClient
) -> None:
    result = create_owner("Olu@Example.com")
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    olu = registration.find_user("olu@example.com")
    assert olu is not None
    assert [role.name for role in olu.roles] == ["owner"]
    assert olu.is_verified
    login(client, olu)
    assert client.get("/admin/").status_code == 200


def test_a_holder_can_become_the_owner(create_owner: Callable[..., Result], create_user: Callable[..., User]) -> None:
    olu = create_user("olu@example.com")
    assert create_owner(password="another good password").exit_code == 0
    db.session.refresh(olu)
    assert [role.name for role in olu.roles] == ["owner"]
    assert count_rows(User) == 1


@pytest.mark.parametrize(
    ("email", "password"),
    [("olu", PASSWORD), ("olu@example.com", "short"), ("olu@example.com", ""), ("olu@example.com", "olu@example.com")],
)
def test_an_owner_requires_a_valid_address_and_a_strong_password(
    create_owner: Callable[..., Result], email: str, password: str
) -> None:
    assert create_owner(email, password).exit_code == 1
    assert count_rows(User) == 0


def test_two_factor_can_be_reset(
    run_command: Callable[..., Result], client: FormClient, create_user: Callable[..., User], app: Flask
) -> None:
    ada = create_user("ada@example.com")
    assert run_command("users", "reset-two-factor", "ada@example.com").exit_code == 1
    assert run_command("users", "reset-two-factor", "nobody@example.com").exit_code == 1
    login(client, ada)
    secret = app.extensions["keys"].encrypt("JBSWY3DPEHPK3PXP")
    db.session.add(TwoFactor(user_id=ada.id, secret=secret, confirmed_at=utcnow()))
    two_factor.replace_recovery_codes(ada, app.extensions["keys"])
    db.session.commit()
    result = run_command("users", "reset-two-factor", "Ada@Example.com")
    assert result.exit_code == 0, result.output
    assert (count_rows(TwoFactor), count_rows(RecoveryCode)) == (0, 0)
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "user.two_factor_reset")).one()
    assert (entry.subject_id, entry.actor_id, entry.origin) == (ada.id, None, "command")
    assert client.get("/account").status_code == 302
    assert login(client, ada).location == "/dashboard"


# --- operation --------------------------------------------------------------------------------------------------------


def test_the_doctor_reports_problems_with_advice(run_command: Callable[..., Result], app: Flask) -> None:
    run_command("worker", "--once")
    healthy = run_command("doctor")
    assert healthy.exit_code == 0, healthy.output
    assert "FAIL" not in healthy.output
    app.extensions["spool"].count_failure()
    sick = run_command("doctor")
    assert sick.exit_code == 1
    bad, advice = sick.output.partition("FAIL ")[2].splitlines()[:2]
    assert bad
    assert advice.startswith("     ")


def test_spooled_taps_are_stored_and_recounted(
    run_command: Callable[..., Result], client: FormClient, card: Card
) -> None:
    client.get(f"/t/{card.token}")
    assert run_command("taps", "drain").output == "Taps stored: 1.\n"
    assert run_command("taps", "drain").output == "Taps stored: 0.\n"
    assert count_rows(Tap) == 1
    assert "Statistics rebuilt" in run_command("taps", "recount").output


def test_a_backup_reports_its_path(run_command: Callable[..., Result], app: Flask, tmp_path: Path) -> None:
    result = run_command("backup", str(tmp_path / "backup.tar.gz"))
    assert result.exit_code == 0, result.output
    assert "Backup saved: " in result.output
    assert run_command("backup", str(tmp_path / "backup.tar.gz")).exit_code == 1


def test_every_command_has_a_description(run_command: Callable[..., Result]) -> None:
    for command in (["cards"], ["users"], ["taps"], ["seed"], ["doctor"], ["worker"], ["serve"], ["cards", "make"]):
        result = run_command(*command, "--help")
        assert result.exit_code == 0
        assert result.output.splitlines()[2].strip()
