"""Commands: what they do, what they refuse, and that a refusal leaves nothing behind."""

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
def run(app: Flask) -> Callable[..., Result]:
    """Run a command; everything it did not commit is gone afterwards."""

    def invoke(*arguments: str, text: str = "", app: Flask = app) -> Result:
        db.session.commit()
        with app.app_context():
            result = app.test_cli_runner().invoke(args=list(arguments), input=text)
            db.session.rollback()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def number_of(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- cards make -------------------------------------------------------------------------------------------------------


@pytest.fixture
def make(run: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """Make cards into `spring.csv`."""
    return lambda *arguments: run("cards", "make", "--out", str(tmp_path / "spring.csv"), *arguments)


def test_a_batch_is_made_and_written_for_the_encoder(
    make: Callable[..., Result], tmp_path: Path, design: Design, client: FormClient, ada: User
) -> None:
    result = make("--design", design.name, "--count", "3")
    path = tmp_path / "spring.csv"
    assert result.exit_code == 0
    assert result.output == f"Cards created: 3. Saved to {path}.\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = rows_of(path)
    made = {card.token: card for card in db.session.scalars(sa.select(Card))}
    assert set(made) == {row["token"] for row in rows}
    assert {card.design for card in made.values()} == {design}
    assert {card.batch.name for card in made.values() if card.batch} == {"spring"}
    for row in rows:
        assert row["tap_url"] == f"http://localhost/t/{row['token']}"
        assert row["qr_url"] == f"http://localhost/q/{row['token']}"
    login(client, ada)
    for row in rows:
        answer = client.post(f"/activate/{row['token']}", data={"code": row["claim_code"]})
        assert answer.location == f"/cards/{row['token']}"
        assert made[row["token"]].owner is ada


@pytest.mark.parametrize("policy", ["open", "pay"])
def test_cards_of_another_policy_have_no_code(make: Callable[..., Result], tmp_path: Path, policy: str) -> None:
    assert make("--count", "1", "--policy", policy, "--batch", "for the fair").exit_code == 0
    card = db.session.scalars(sa.select(Card)).one()
    assert card.claim_policy is ClaimPolicy(policy)
    assert card.batch is not None
    assert card.batch.name == "for the fair"
    assert [row["claim_code"] for row in rows_of(tmp_path / "spring.csv")] == [""]


def test_a_file_that_is_there_is_not_written_over(make: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "spring.csv").write_text("codes of other cards")
    result = make("--count", "1")
    assert result.exit_code == 1
    assert "already exists. No cards were created" in result.output
    assert (tmp_path / "spring.csv").read_text() == "codes of other cards"
    assert number_of(Card) == 0


def test_a_batch_of_the_same_name_is_refused_and_leaves_no_file(make: Callable[..., Result], tmp_path: Path) -> None:
    db.session.add(CardBatch(name="spring"))
    result = make("--count", "1")
    assert result.exit_code == 1
    assert "A batch with this name already exists." in result.output
    assert not (tmp_path / "spring.csv").exists()
    assert number_of(Card) == 0


def test_a_folder_that_does_not_exist_is_said_so(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("cards", "make", "--count", "1", "--out", str(tmp_path / "no" / "spring.csv"))
    assert result.exit_code == 1
    assert "Can't write" in result.output
    assert number_of(Card) == 0


@pytest.mark.usefixtures("design")
def test_an_unknown_design_is_refused_with_those_there_are(make: Callable[..., Result], tmp_path: Path) -> None:
    result = make("--count", "1", "--design", "Lake at dawn")
    assert result.exit_code == 1
    assert "Available designs: Lake at dusk." in result.output
    assert not (tmp_path / "spring.csv").exists()


@pytest.mark.parametrize("count", ["0", "-1", "10001", "many", ""])
def test_a_number_of_cards_is_from_1_to_10000(make: Callable[..., Result], tmp_path: Path, count: str) -> None:
    assert make("--count", count).exit_code == 2
    assert not (tmp_path / "spring.csv").exists()


def test_a_failure_to_write_makes_no_cards(make: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(card_commands.os, "fsync", full)
    result = make("--count", "1")
    assert "No space left on device" in result.output
    assert number_of(Card) == 0


# --- cards import -----------------------------------------------------------------------------------------------------


@pytest.fixture
def legacy(tmp_path: Path) -> Callable[[str], str]:
    """A file of the first system."""

    def write(rows: str, encoding: str = "utf-8-sig") -> str:
        path = tmp_path / "legacy.csv"
        path.write_bytes((HEADER + rows).encode(encoding))
        return str(path)

    return write


def test_a_dry_run_reports_and_writes_nothing(run: Callable[..., Result], legacy: Callable[[str], str]) -> None:
    result = run(
        "cards", "import", "--dry-run", legacy("OLD1,ada@example.com,Ada,Obi,,example.com,,,7\nOLD2,,,,,,,,\n")
    )
    assert result.output == "Dry run: 2 to add, 0 unchanged, 0 with errors.\n"
    assert (number_of(Card), number_of(User), number_of(AuditEntry)) == (0, 0, 0)


def test_an_import_adds_what_the_dry_run_promised_and_the_second_nothing(
    run: Callable[..., Result], legacy: Callable[[str], str]
) -> None:
    path = legacy("OLD1,ada@example.com,Ada,Óbi,,example.com,,,7\nOLD2,,,,,,,,\n")
    assert run("cards", "import", path).output == "Imported: 2 added, 0 unchanged.\n"
    assert run("cards", "import", path).output == "Imported: 0 added, 2 unchanged.\n"
    assert number_of(Card) == 2
    owner = registration.find_user("ada@example.com")
    assert owner is not None
    assert owner.last_name == "Óbi"


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_a_bad_row_leaves_nothing_of_the_file(
    run: Callable[..., Result], legacy: Callable[[str], str], arguments: list[str]
) -> None:
    result = run("cards", "import", *arguments, legacy("OLD1,ada@example.com,Ada,Obi,,,,,\nOLD 2,,,,,,,,\n"))
    assert result.exit_code == 1
    assert "Row 3: The token “OLD 2”" in result.output
    assert "Nothing was imported (1 to add, 0 unchanged, 1 with errors)." in result.output
    assert (number_of(Card), number_of(User), number_of(AuditEntry)) == (0, 0, 0)


def test_our_own_tap_addresses_are_no_targets(
    run: Callable[..., Result], other_app: Callable[..., Flask], legacy: Callable[[str], str]
) -> None:
    path = legacy("OLD1,ada@example.com,Ada,Obi,,https://cards.example.com/t/OLD1,,,\n")
    result = run("cards", "import", path, app=other_app(site_url="https://cards.example.com"))
    assert result.exit_code == 1
    assert "round in circles" in result.output
    assert run("cards", "import", path).exit_code == 0


def test_a_file_in_another_encoding_is_said_so(run: Callable[..., Result], legacy: Callable[..., str]) -> None:
    result = run("cards", "import", legacy("OLD1,ada@example.com,Adé,Obi,,,,,\n", encoding="latin-1"))
    assert result.exit_code == 1
    assert "isn't UTF-8" in result.output
    assert number_of(Card) == 0


# --- blocked hosts ----------------------------------------------------------------------------------------------------


def test_a_host_is_blocked_and_allowed_again(run: Callable[..., Result], card: Card, client: FormClient) -> None:
    assert run("cards", "block-host", "EXAMPLE.com.", "--reason", "phishing").output == (
        "Blocked example.com. Cards affected: 1.\n"
    )
    assert "deactivated" in client.get(f"/t/{card.token}").text
    assert run("cards", "unblock-host", "example.com").output == "Unblocked example.com.\n"
    assert client.get(f"/t/{card.token}").location == "https://example.com/"


@pytest.mark.parametrize("command", ["block-host", "unblock-host"])
@pytest.mark.parametrize("host", ["", "no host", "mailto:a@b.example"])
def test_what_is_no_host_is_refused(run: Callable[..., Result], command: str, host: str) -> None:
    result = run("cards", command, host)
    assert result.exit_code == 1
    assert "Enter a domain" in result.output


def test_a_host_that_is_not_blocked_is_not_allowed_again(run: Callable[..., Result]) -> None:
    result = run("cards", "unblock-host", "good.example")
    assert result.exit_code == 1
    assert "This domain isn't blocked." in result.output


# --- users ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def create_owner(run: Callable[..., Result]) -> Callable[..., Result]:
    """Make Olu the owner, the password by standard input."""

    def invoke(email: str = "olu@example.com", password: str = PASSWORD) -> Result:
        names = ("--first-name", "Olu", "--last-name", "Ade")
        return run("users", "create-owner", "--email", email, *names, text=password + "\n")

    return invoke


def test_the_first_owner_is_made_with_a_password_from_standard_input(
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


def test_a_holder_may_become_the_owner(create_owner: Callable[..., Result], create_user: Callable[..., User]) -> None:
    olu = create_user("olu@example.com")
    assert create_owner(password="another good password").exit_code == 0
    db.session.refresh(olu)
    assert [role.name for role in olu.roles] == ["owner"]
    assert number_of(User) == 1


@pytest.mark.parametrize(
    ("email", "password"),
    [("olu", PASSWORD), ("olu@example.com", "short"), ("olu@example.com", ""), ("olu@example.com", "olu@example.com")],
)
def test_an_owner_needs_an_address_and_a_good_password(
    create_owner: Callable[..., Result], email: str, password: str
) -> None:
    assert create_owner(email, password).exit_code == 1
    assert number_of(User) == 0


def test_two_factor_is_reset_for_somebody_who_lost_everything(
    run: Callable[..., Result], client: FormClient, create_user: Callable[..., User], app: Flask
) -> None:
    ada = create_user("ada@example.com")
    assert run("users", "reset-two-factor", "ada@example.com").exit_code == 1
    assert run("users", "reset-two-factor", "nobody@example.com").exit_code == 1
    login(client, ada)
    secret = app.extensions["keys"].encrypt("JBSWY3DPEHPK3PXP")
    db.session.add(TwoFactor(user_id=ada.id, secret=secret, confirmed_at=utcnow()))
    two_factor.replace_recovery_codes(ada, app.extensions["keys"])
    db.session.commit()
    result = run("users", "reset-two-factor", "Ada@Example.com")
    assert result.exit_code == 0, result.output
    assert (number_of(TwoFactor), number_of(RecoveryCode)) == (0, 0)
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "user.two_factor_reset")).one()
    assert (entry.subject_id, entry.actor_id, entry.origin) == (ada.id, None, "command")
    assert client.get("/account").status_code == 302
    assert login(client, ada).location == "/dashboard"


# --- operation --------------------------------------------------------------------------------------------------------


def test_the_doctor_looks_at_everything_and_says_what_to_do(run: Callable[..., Result], app: Flask) -> None:
    run("worker", "--once")
    healthy = run("doctor")
    assert healthy.exit_code == 0, healthy.output
    assert "FAIL" not in healthy.output
    app.extensions["spool"].count_failure()
    sick = run("doctor")
    assert sick.exit_code == 1
    bad, advice = sick.output.partition("FAIL ")[2].splitlines()[:2]
    assert bad
    assert advice.startswith("     ")


def test_spooled_taps_are_stored_by_a_command(run: Callable[..., Result], client: FormClient, card: Card) -> None:
    client.get(f"/t/{card.token}")
    assert run("taps", "drain").output == "Taps stored: 1.\n"
    assert run("taps", "drain").output == "Taps stored: 0.\n"
    assert number_of(Tap) == 1
    assert "Statistics rebuilt" in run("taps", "recount").output


def test_a_backup_says_where_it_is(run: Callable[..., Result], app: Flask, tmp_path: Path) -> None:
    if db.engine.dialect.name == "sqlite":
        result = run("backup", str(tmp_path / "backup.tar.gz"))
        assert result.exit_code == 0, result.output
        assert "Backup saved: " in result.output
        assert run("backup", str(tmp_path / "backup.tar.gz")).exit_code == 1


def test_every_command_says_what_it_is_for(run: Callable[..., Result]) -> None:
    for command in (["cards"], ["users"], ["taps"], ["seed"], ["doctor"], ["worker"], ["serve"], ["cards", "make"]):
        result = run(*command, "--help")
        assert result.exit_code == 0
        assert result.output.splitlines()[2].strip()
