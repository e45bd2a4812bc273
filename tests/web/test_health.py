"""Health endpoints and `flask doctor`."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Channel, OutboxMessage, Outcome, Schedule, User
from tapcard.services.taps.ingest import Reading
from tapcard.workflows import health
from tests import external_services

pytestmark = pytest.mark.sql

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:9/nowhere?connect_timeout=2"


def reading(minutes_ago: int) -> list[Any]:
    instant = utcnow() - timedelta(minutes=minutes_ago)
    at = int(instant.timestamp() * 1000)
    reading = Reading(
        uid=f"{at:032x}",
        at=at,
        card_id=1,
        owner_id=1,
        design_id=None,
        token=None,
        channel=Channel.NFC,
        outcome=Outcome.REDIRECT,
        visitor="",
        user_agent="tests",
        language="",
        referrer_host="",
        country="",
        me=None,
    )
    return list(msgspec.structs.astuple(reading))


def found(app: Flask, name: str) -> health.CheckResult:
    findings = health.check_all(app.config["TAPCARD"], app.extensions["spool"])
    return next(finding for finding in findings if finding.name == name)


def test_a_running_process_is_alive(client):
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_running_process_is_alive_without_its_database(other_app):
    assert other_app(database_url=NOWHERE).test_client().get("/healthz").status_code == 200


def test_health_checks_start_no_session(client):
    for path in ("/healthz", "/readyz"):
        assert "Set-Cookie" not in client.get(path).headers


def test_a_healthy_installation_is_ready(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json["status"] == "ok"
    assert response.headers["Cache-Control"] == "no-store"
    assert {"database", "migrations", "outbox_age", "spool_age", "failed_recordings"} <= response.json["checks"].keys()


def test_readiness_reports_only_names_and_numbers(client):
    for check in client.get("/readyz").json["checks"].values():
        assert check.keys() == {"ok", "number"}
        assert check["number"] is None or isinstance(check["number"], int | float)


def test_a_host_without_database_is_not_ready(other_app):
    response = other_app(database_url=NOWHERE).test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json["status"] == "unavailable"
    assert response.json["checks"]["database"]["ok"] is False


def test_a_host_with_another_database_version_is_not_ready(client):
    version = db.session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    db.session.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        response = client.get("/readyz")
    finally:
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        db.session.commit()
    assert response.status_code == 503
    assert response.json["checks"]["migrations"]["ok"] is False


def test_a_host_that_cannot_write_its_spool_is_not_ready(other_app, tmp_path: Path):
    other = other_app(instance_path=tmp_path)
    shutil.rmtree(tmp_path / "spool")
    response = other.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json["checks"]["spool"]["ok"] is False


def test_a_delayed_message_is_reported_but_the_host_stays_ready(client):
    db.session.add(OutboxMessage(kind="mail.test", payload={}, due_at=utcnow() - timedelta(minutes=7)))
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json["status"] == "degraded"
    assert 420 <= response.json["checks"]["outbox_age"]["number"] < 480


def test_messages_that_are_not_due_or_done_are_not_reported(client):
    now = utcnow()
    db.session.add(OutboxMessage(kind="mail.test", payload={}, due_at=now + timedelta(hours=1)))
    db.session.add(OutboxMessage(kind="mail.test", payload={}, due_at=now - timedelta(hours=1), done_at=now))
    checks = client.get("/readyz").json["checks"]
    assert checks["outbox_age"] == {"ok": True, "number": 0}


def test_a_failed_message_is_reported(client):
    db.session.add(OutboxMessage(kind="mail.test", payload={}, due_at=utcnow(), failed_at=utcnow()))
    assert client.get("/readyz").json["checks"]["outbox_failed"] == {"ok": False, "number": 1}


def test_a_delayed_tap_is_reported(app, client):
    app.extensions["spool"].append(reading(minutes_ago=3))
    app.extensions["spool"].append(reading(minutes_ago=1))
    check = client.get("/readyz").json["checks"]["spool_age"]
    assert check["ok"] is False
    assert 180 <= check["number"] < 240


def test_a_stored_tap_is_not_reported(app, client, run_worker):
    app.extensions["spool"].append(reading(minutes_ago=30))
    run_worker()
    app.extensions["spool"].append(reading(minutes_ago=1))
    check = client.get("/readyz").json["checks"]["spool_age"]
    assert check["ok"] is True
    assert 60 <= check["number"] < 120


def test_a_tap_that_could_not_be_recorded_is_reported(app, client):
    app.extensions["spool"].count_failure()
    assert client.get("/readyz").json["checks"]["failed_recordings"] == {"ok": False, "number": 1}


def test_a_stopped_worker_is_reported(client):
    db.session.add(Schedule(name="taps.fold", due_at=utcnow() - timedelta(hours=1)))
    assert client.get("/readyz").json["checks"]["schedules_age"]["ok"] is False


def test_the_doctor_reports_no_problem_in_a_healthy_installation(app):
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 0, result.output
    assert "BAD" not in result.output


def test_the_doctor_reports_a_problem_with_its_fix(app):
    db.session.add(OutboxMessage(kind="mail.test", payload={}, due_at=utcnow() - timedelta(minutes=7)))
    db.session.commit()
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 1
    assert "outbox_age" in result.output
    assert "flask --app wsgi worker" in result.output


def test_every_failed_check_explains_its_fix(other_app, tmp_path: Path):
    other = other_app(database_url=NOWHERE, redis_url="redis://127.0.0.1:9/0", instance_path=tmp_path)
    (tmp_path / "secret_key").write_text("readable")
    with other.app_context():
        bad = [
            result for result in health.check_all(other.config["TAPCARD"], other.extensions["spool"]) if not result.ok
        ]
    assert {result.name for result in bad} >= {"database", "redis", "secret_key"}
    assert all(result.fix for result in bad)


def test_demo_accounts_in_production_are_reported(other_app, create_user: Callable[..., User]):
    create_user("ada@example.com", password="tapcard-demo")
    create_user("ben@example.com", password="another long password")
    other = other_app(environment="production", site_url="https://cards.example.com")
    with other.app_context():
        finding = found(other, "demo_passwords")
    assert (finding.ok, finding.number) == (False, 1)


@pytest.mark.parametrize(("server", "ok"), [("", False), ("mail.example.com", True)])
def test_production_without_a_mail_server_is_reported(other_app, server: str, ok: bool):
    other = other_app(environment="production", site_url="https://cards.example.com", mail={"MAIL_SERVER": server})
    with other.app_context():
        assert found(other, "mail").ok is ok


def test_production_with_a_local_address_is_reported(other_app):
    other = other_app(environment="production", site_url="http://localhost:8000")
    with other.app_context():
        assert found(other, "site_url").ok is False


@pytest.mark.redis
def test_redis_is_checked_if_it_is_configured(other_app):
    other = other_app(redis_url=external_services.REDIS_URL)
    with other.app_context():
        assert found(other, "redis").ok is True


def test_an_invalid_geoip_file_is_reported(tmp_path: Path):
    path = tmp_path / "countries.mmdb"
    path.write_bytes(b"not a database")
    finding = health._check_geoip(path)
    assert finding.ok is False
    assert "GEOIP_PATH" in finding.fix
