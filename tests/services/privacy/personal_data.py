"""Write personal data into every table, erase it, and find the rest."""

import io
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from PIL import Image

from tapcard import files, outbox, seeds
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.models import (
    Card,
    CardTransfer,
    FormerSlug,
    Lead,
    LinkPurpose,
    LockedBecause,
    Profile,
    ProfileLink,
    RecoveryCode,
    TwoFactor,
    User,
)
from tapcard.services.accounts import addresses, email_links
from tapcard.services.cards import transitions
from tapcard.services.core import audit
from tapcard.services.privacy import closure, erasure
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import form_to

AGENT = "Mozilla/5.0 (X11) Quagmire-Browser/7.7"
EMAIL = "zebulon.quirk@example.com"
# texts about the user; none of them may be found after erasing
SECRETS = (
    EMAIL, "zebulon", "quirkzahl", "Dr-Xylo", "zebs-former", "zebs-page", "HeadlineQ", "CompanyQ", "BioQ",
    "zeb-mail@example.org", "7700900123", "zebtok", "https://zeb-site.example", "LinkTitleQ", "link-q.example",
    "LeadNameQ",
    "lead-q@example.com", "LeadNoteQ", "AliasQ", "reroute-q.example", "offer-q@example.com", "WhyQ", "DetailQ",
    "203.0.113.77",
    "SecretQ", "CodeHashQ", "LineOneQ", "CityQ", "RegionQ", "QQ1 1QQ", "former-q@example.com", "new-q@example.com",
    "OutboxQ", "FlatQ", "1987-06-05",
)  # fmt: skip


def random_picture() -> bytes:
    """Return a random picture."""
    data = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(data, "WEBP", quality=80)
    return data.getvalue()


def write_personal_data(zeb: User, cleo: User, app: Flask) -> tuple[Card, bytes]:
    """Write personal data into every table that can hold it."""
    data = random_picture()
    name = files.store(data, files.folder(app.instance_path))
    profile = seeds.create_profile(
        zeb, "zebs-page", headline="HeadlineQ", company="CompanyQ", bio="BioQ " * 90, email="zeb-mail@example.org",
        phone="+447700900123", whatsapp="+447700900123", tiktok="zebtok", website="https://zeb-site.example/",
        address="LineOneQ, CityQ", photo=name, banner=name,
    )  # fmt: skip
    card = seeds.create_card(zeb, token="ZEBSCARD", url="https://reroute-q.example/x", alias="AliasQ")
    seeds.create_card(zeb, profile=profile, alias="AliasQ too")
    db.session.add_all([
        ProfileLink(profile_id=profile.id, position=1, title="LinkTitleQ", url="https://link-q.example/"),
        FormerSlug(profile_id=profile.id, slug="zebs-former"),
        TwoFactor(user_id=zeb.id, secret="SecretQ"),
        RecoveryCode(user_id=zeb.id, code_hash="CodeHashQ"),
        CardTransfer(card=card, from_user=zeb, to_email="offer-q@example.com", expires_at=utcnow()),
    ])  # fmt: skip
    for number in range(30):
        db.session.add(Lead(
            owner_id=zeb.id, profile_id=profile.id, name=f"LeadNameQ {number}", email="lead-q@example.com",
            note="LeadNoteQ " * 20, consent_text="I agree that Zebulon Quirkzahl keeps this."))  # fmt: skip
    addresses.add(zeb, {
        "name": "Zebulon Quirkzahl", "line1": "LineOneQ", "line2": "FlatQ", "city": "CityQ", "region": "RegionQ",
        "postal_code": "QQ1 1QQ", "country": "GB", "phone": "+447700900123"})  # fmt: skip
    email_links.issue_link(zeb, LinkPurpose.UNDO_EMAIL, "former-q@example.com", utcnow())
    audit.record("profile.deleted", subject=profile, actor=zeb, slug="zebs-former", note="DetailQ")
    audit.record("user.looked_at", subject=zeb, actor=cleo, origin="203.0.113.77", note="DetailQ")
    db.session.commit()
    transitions.lock(card, LockedBecause.LOST, zeb, "WhyQ")
    transitions.unlock(card, zeb)
    db.session.commit()
    return card, data


def change_pictures(client: FormClient, zeb: User, app: Flask) -> list[str]:
    """Upload a photo, replace it, remove the banner, upload one without saving; return all file names."""
    [profile] = db.session.scalars(sa.select(Profile).where(Profile.owner_id == zeb.id))
    path, names = f"/profiles/{profile.id}", {str(profile.banner)}
    for changes in (
        {"photo": (io.BytesIO(random_picture()), "first.webp")},
        {"photo": (io.BytesIO(random_picture()), "second.webp"), "remove_banner": "y"},
        {"banner": (io.BytesIO(random_picture()), "draft.webp"), "email": "nonsense"},
    ):
        form = form_to(client.get(path).text, path)
        client.post(path, data={**form.values, **changes}, content_type="multipart/form-data", csrf=False)
        db.session.rollback()
    folder = files.folder(app.instance_path)
    names |= {path.name for path in folder.glob("*.webp")}
    assert len(names) == 4
    return sorted(names)


def use_application(client: FormClient, zeb: User, app: Flask, run: Callable[[], None]) -> None:
    """Send the requests that leave personal data in logs, emails and the spool."""
    assert login(client, zeb).status_code == 302
    client.get("/t/ZEBSCARD", headers={"User-Agent": AGENT, "Referer": "https://reroute-q.example/"})
    client.post("/account/email", data={"email": "new-q@example.com", "current": PASSWORD})
    client.post("/forgot-password", data={"email": EMAIL})
    client.post("/account/download").close()
    run()
    outbox.post("mail.no_such_kind", email=EMAIL, text="OutboxQ")  # will fail and keep its payload
    outbox.post("mail.no_such_kind", user_id=zeb.id, text="OutboxQ")
    db.session.commit()
    run()


def find_traces(app: Flask, secrets: tuple[str, ...], data: bytes) -> dict[str, list[str]]:
    """Return which secrets are found in which file or table."""
    instance = Path(app.instance_path)
    places = {str(path.relative_to(instance)): path.read_bytes() for path in instance.rglob("*") if path.is_file()}
    if db.engine.dialect.name == "sqlite":
        base = Path(str(db.engine.url.database))
        places |= {path.name: path.read_bytes() for path in base.parent.glob(base.name + "*")}
    with transactions(writing=False):
        for table in db.metadata.sorted_tables:
            places[f"table {table.name}"] = "\n".join(
                str(tuple(row)) for row in db.session.execute(table.select())
            ).encode()
        db.session.rollback()
    patterns = {secret: re.compile(re.escape(secret.encode()), re.IGNORECASE) for secret in secrets}
    patterns["the picture"] = re.compile(re.escape(data[-400:-100]))
    hits = {place: [name for name, pattern in patterns.items() if pattern.search(raw)] for place, raw in places.items()}
    return {place: names for place, names in hits.items() if names}


def erase(user: User, app: Flask, now: datetime | None = None) -> None:
    now = now or utcnow()
    closure.deactivate(user, now)
    db.session.commit()
    person = erasure.erase(user.id, now, closed_before=now)
    db.session.commit()
    erasure.delete_files(person, Path(app.instance_path), with_mails=True)
