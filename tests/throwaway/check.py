"""Adds the subject to the one list, uses everything it declares, and prints what happened as JSON."""

import contextvars
import json
import sys
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from config import Config
from tapcard import files, outbox, registry, seeds, subjects, worker
from tapcard.app import create_app
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.services.accounts import roles
from tapcard.services.core import uploads
from tapcard.services.privacy import erasure
from tapcard.workflows import core

PASSWORD = "correct horse battery"


def main(instance: Path) -> dict[str, object]:
    """Run the application with the subject over a database of its own."""
    subjects.SUBJECTS = (*subjects.SUBJECTS, "tests.throwaway")
    config = Config(
        secret_key="a key for the tests alone, long enough",
        environment="testing",
        site_url="http://localhost",
        instance_path=instance,
        database_url=f"sqlite:///{instance / 'test.sqlite'}",
        mail={"MAIL_SERVER": "", "MAIL_DEFAULT_SENDER": "tapcard <no-reply@example.com>"},
    )
    app = create_app(config)
    found: dict[str, object] = {}
    with app.app_context(), transactions(writing=True):
        upgrade()
        roles.seed_roles()
        note = db.metadata.tables["throwaway_notes"]
        note.create(db.session.connection())
        ada = seeds.create_user("ada@example.com", password=PASSWORD)
        seeds.create_user("ben@example.com", password=PASSWORD, roles=["staff"])
        image = files.store(b"an image", files.folder(str(instance)))
        db.session.flush()
        note_id = db.session.execute(note.insert().values(user_id=ada.id, text="hello", image=image)).lastrowid
        outbox.post("mail.note_added", note_id=note_id)
        db.session.commit()

        found["permission"] = [role for role, names in roles.fixed_roles().items() if "notes.view" in names]
        found["upload in use"] = image in uploads.used_uploads()
        worker.deliver_due()
        found["emails"] = [path.read_text().count("New note: hello") for path in (instance / "mail").glob("*.eml")]
        worker.create_schedules(utcnow())
        worker.run_due_jobs(utcnow())
        found["after the job"] = db.session.scalar(sa.select(note.c.text))
        db.session.commit()

        for email in ("ada@example.com", "ben@example.com"):
            status, page = contextvars.Context().run(visit, app, email)  # apart from this application context
            found[f"page for {email}"] = status
            found[f"menu for {email}"] = 'href="/admin/notes/"' in page

        person = db.session.merge(ada)
        person.is_active, person.closed_at = False, utcnow() - timedelta(days=30)
        db.session.commit()
        erasure.erase(person.id, utcnow(), closed_before=utcnow())
        db.session.commit()
        found["after erasure"] = list(db.session.execute(sa.select(note.c.text, note.c.image)).one())
        found["upload still in use"] = image in uploads.used_uploads()
        found["declared personal"] = [
            rule.data for rule in registry.erasure_rules() if "throwaway_notes" in rule.columns
        ]
        core.sweep_uploads()
    return found


def visit(app: Flask, email: str) -> tuple[int, str]:
    """Log in, and return the status of the subject's page and the text of the back office's start page."""
    client = app.test_client()
    page = client.get("/log-in").text
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    client.post("/log-in", data={"email": email, "password": PASSWORD, "csrf_token": token})
    return client.get("/admin/notes/").status_code, client.get("/admin/").text


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1])), sys.stdout)
