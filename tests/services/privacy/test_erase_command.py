"""The command `flask users erase`."""

from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask

from tapcard import files, seeds
from tapcard.db import db
from tapcard.models import Card, User
from tests.conftest import FormClient, login
from tests.services.privacy.personal_data import EMAIL, change_pictures, write_personal_data


def test_the_command_asks_for_confirmation_and_erases_at_once(app: Flask, zeb: User, olu: User, card: Card) -> None:
    run = app.test_cli_runner().invoke
    assert "no account" in run(args=["users", "erase", "nobody@example.com"]).output
    assert run(args=["users", "erase", EMAIL], input="n\n").exit_code == 1
    assert db.session.get_one(User, zeb.id, populate_existing=True).is_active
    db.session.commit()
    result = run(args=["users", "erase", EMAIL], input="y\n")
    assert result.exit_code == 0, result.output
    user = db.session.get_one(User, zeb.id, populate_existing=True)
    assert (user.first_name, user.erased_at is not None) == ("", True)
    db.session.commit()
    off = seeds.create_user("off@example.com", is_active=False)
    db.session.commit()
    assert run(args=["users", "erase", "off@example.com", "--yes"]).exit_code == 0
    assert db.session.get_one(User, off.id, populate_existing=True).erased_at is not None
    db.session.commit()
    last = run(args=["users", "erase", "olu@example.com", "--yes"])
    assert (last.exit_code, "only owner" in last.output) == (1, True)
    assert db.session.get_one(User, olu.id, populate_existing=True).is_active


def test_the_command_reports_success_after_every_file_is_deleted(
    app: Flask, zeb: User, cleo: User, client: FormClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_personal_data(zeb, cleo, app)
    login(client, zeb)
    names, folder = change_pictures(client, zeb, app), files.folder(app.instance_path)
    seen: list[list[str]] = []
    echo = click.echo

    def watched(message: str, **how: Any) -> None:
        if message.startswith("Account erased"):
            seen.append([name for name in names if files.exists(name, folder)])
        echo(message, **how)

    monkeypatch.setattr(click, "echo", watched)
    assert "Account erased." in app.test_cli_runner().invoke(args=["users", "erase", EMAIL, "--yes"]).output
    assert seen == [[]]


def test_the_command_reports_files_that_could_not_be_deleted(
    app: Flask, zeb: User, cleo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_personal_data(zeb, cleo, app)

    def stuck(name: str, folder: Path) -> None:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(files, "delete", stuck)
    result = app.test_cli_runner().invoke(args=["users", "erase", EMAIL, "--yes"])
    assert result.exit_code == 1
    assert "some of its files" in result.output
    assert "Account erased." not in result.output
