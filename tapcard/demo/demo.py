"""Demo data: users, designs, cards, two months of taps, and a shop."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from .. import files
from ..clock import utcnow
from ..db import db
from ..keys import Keys
from ..models import (
    Card,
    CardStatus,
    Channel,
    ClaimPolicy,
    Design,
    Lead,
    LockedBecause,
    Outcome,
    Profile,
    ProfileAction,
    ProfileActionKind,
    ProfileLink,
    Tap,
    Target,
    User,
)
from ..seeds.factories import create_card, create_design, create_lead, create_profile, create_user
from ..seeds.pages import seed_pages
from ..services.accounts import registration, roles
from ..services.cards import cards
from ..services.taps import rollups
from ..services.taps.ingest import Reading, ReadingStore
from ..settings import ShopSettings
from ..workflows.health import DEMO_PASSWORD
from . import drawings
from .orders import DemoOrders
from .shop import DemoShop, store_drawings

DEMO_DAYS = 60
DEMO_LINKS = (
    ("Selected houses", "https://example.com/houses"),
    ("Book a studio visit", "https://example.com/book"),
)
LOGINS = """
  Customer  ada@example.com   password {password}
  Staff     ben@example.com   password {password}
  Owner     olu@example.com   password {password}

  Card to tap       {site}/t/DEMOURL
  Card to claim     {site}/t/DEMONEW   code CARD2345
  Card to activate  {site}/t/DEMOPAY
  Promotion codes   WELCOME10, and FIVEOFF from 40.00
  Sent emails       {site}/dev/mail
"""


@dataclass
class Demo:
    """Creates the demo data; running it again only adds what is missing."""

    keys: Keys
    instance: Path
    created: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Create what is missing and return descriptions of what was created."""
        roles.seed_roles()
        ada = self._user("ada@example.com", "Ada", "Obi")
        ben = self._user("ben@example.com", "Ben", "Marsh", "staff")
        self._user("olu@example.com", "Olu", "Ade", "owner")
        designs = self._designs()
        profile = self._profile(ada)
        self._cards(ada, profile, designs)
        self._taps(ada)
        self._leads(profile)
        self.created += DemoShop(self.instance).run()
        self.created += seed_pages()
        self.created += DemoOrders(self.keys, ada, ben).run()
        return self.created

    def _user(self, email: str, first: str, last: str, *roles: str) -> User:
        user = registration.find_user(email)
        if user is None:
            user = create_user(email, first_name=first, last_name=last, password=DEMO_PASSWORD, roles=roles)
            self.created.append(email)
        return user

    def _designs(self) -> list[Design]:
        by_name = {design.name: design for design in db.session.scalars(select(Design))}
        missing = [name for name in drawings.DESIGNS if name not in by_name]
        uploads = store_drawings(drawings.DESIGNS, missing, self.instance)
        for number, name in enumerate(drawings.DESIGNS):
            if name not in by_name:
                picture = uploads[name]
                by_name[name] = create_design(
                    name, front_picture=picture, card_amount=2200 + 200 * (number % 4), activation_amount=None
                )
                self.created.append(f"design {name}")
        return [by_name[name] for name in drawings.DESIGNS]

    def _profile(self, ada: User) -> Profile:
        profile = db.session.scalar(select(Profile).where(Profile.slug == "ada"))
        if profile is None:
            profile = create_profile(
                ada,
                "ada",
                name="Ada Obi",
                headline="Architect",
                company="Obi & Daughters, Ibadan",
                bio="I design small houses for hot climates: shade first, then walls. Ask me about courtyards.",
                email="ada@example.com",
                phone="+2348035550142",
                whatsapp="+2348035550142",
                website="https://example.com/work",
                instagram="obi.builds",
                linkedin="ada-obi",
                photo=files.store(drawings.portrait(), files.folder(self.instance)),
            )
            for position, (title, url) in enumerate(DEMO_LINKS):
                db.session.add(ProfileLink(profile=profile, position=position, title=title, url=url))
            self.created.append("profile ada")
        return profile

    def _cards(self, ada: User, profile: Profile, designs: list[Design]) -> None:
        def add(token: str, number: int, owner: User | None = None, **values: Any) -> None:
            if cards.get_by_token(token) is None:
                create_card(owner, token=token, design=designs[number % len(designs)], keys=self.keys, **values)
                self.created.append(f"card {token}")

        add("DEMOURL", 0, ada, alias="Everyday", url="https://example.com/")
        add("DEMOPRO", 1, ada, alias="Site visits", profile=profile)
        add("DEMOSET", 2, ada, alias="New card")
        add("DEMONEW", 3, code="CARD2345")
        add("DEMOFREE", 4, policy=ClaimPolicy.OPEN)
        add("DEMOPAY", 5, policy=ClaimPolicy.PAY)
        add(
            "DEMOLOST",
            6,
            ada,
            alias="Spare",
            url="https://example.com/",
            status=CardStatus.LOCKED,
            locked_because=LockedBecause.LOST,
        )
        add("DEMOOLD", 7, ada, alias="First card", url="https://example.com/", status=CardStatus.RETIRED)

    def _taps(self, ada: User) -> None:
        tapped = [card for token in ("DEMOURL", "DEMOPRO") if (card := cards.get_by_token(token)) is not None]
        readings = demo_readings(tapped, utcnow())
        if db.session.scalar(select(Tap.id).where(Tap.owner_id == ada.id).limit(1)) is not None:
            return
        tap_count = ReadingStore(self.keys).store(db.session.connection(), readings, ShopSettings.time_zone)
        rollups.fold_hours_into_days(ShopSettings.time_zone)
        self.created.append(f"{tap_count} taps")

    def _leads(self, profile: Profile) -> None:
        if db.session.scalar(select(Lead.id).where(Lead.owner_id == profile.owner_id).limit(1)) is not None:
            return
        now, rng = utcnow(), random.Random(27)
        for hours, name, values in DEMO_LEADS:
            create_lead(profile, name, created_at=now - timedelta(hours=hours), **values)
        for _number in range(140):
            kind = rng.choices(list(ProfileActionKind), [5, 8, 0])[0]
            detail = rng.choice(["website", "instagram", "linkedin"]) if kind is ProfileActionKind.LINK_OPENED else ""
            at = now - timedelta(minutes=rng.randint(5, 45 * 24 * 60))
            visitor = f"{rng.getrandbits(96):024x}"
            action = ProfileAction(profile_id=profile.id, kind=kind, detail=detail, happened_at=at, visitor=visitor)
            db.session.add(action)
        for hours, _name, _values in DEMO_LEADS:
            at = now - timedelta(hours=hours)
            db.session.add(ProfileAction(profile_id=profile.id, kind=ProfileActionKind.LEAD_SENT, happened_at=at))
        self.created.append(f"{len(DEMO_LEADS)} leads")


DEMO_LEADS: tuple[tuple[int, str, dict[str, str]], ...] = (  # hours ago, name, columns
    (3, "Gus Lind", {"email": "gus@example.com", "note": "We spoke about a courtyard house. Plot of 18 by 30 m."}),
    (27, "Ngozi Eze", {"phone": "+2348035550177", "note": "Please call after five."}),
    (75, "Marta Keller", {"email": "marta@example.com", "phone": "+442079460123"}),
    (200, "Tomi Bello", {"email": "tomi@example.com", "note": "Loved the talk.\nCould you send the slides?"}),
)

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT} Version/18.1 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {BLINK} Chrome/130.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 13; SM-A546B) {BLINK} Chrome/129.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) {WEBKIT} Version/17.6 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/130.0.0.0 Safari/537.36",
)
PREVIEW = "WhatsApp/2.24.20.89 A"


def demo_readings(cards: Sequence[Card], now: datetime) -> list[Reading]:
    """Return two months of random taps: more on weekdays, at daytime and lately; the same ones for the same `now`."""
    rng = random.Random(54)
    readings = []
    for days_ago in range(DEMO_DAYS - 1, -1, -1):
        day = now - timedelta(days=days_ago)
        busy = (1.0 if day.weekday() < 5 else 0.45) * (0.5 + (DEMO_DAYS - days_ago) / DEMO_DAYS)
        for card in cards:
            for _number in range(int(rng.gauss(5, 2) * busy)):
                minutes = min(rng.randint(0, 60 * 14), 60 * 24) + 8 * 60
                at = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
                    minutes=minutes % (60 * 24), seconds=rng.randint(0, 59)
                )
                if at < now:
                    readings.append(_reading(card, at, rng))
    return readings


def _reading(card: Card, at: datetime, rng: random.Random) -> Reading:
    milliseconds = int(at.timestamp() * 1000)
    outcome = Outcome.PROFILE if card.target is Target.PROFILE else Outcome.REDIRECT
    return Reading(
        uid=f"{milliseconds:012x}{rng.getrandbits(80):020x}",
        at=milliseconds,
        card_id=card.id,
        owner_id=card.owner_id,
        design_id=card.design_id,
        token=None,
        channel=rng.choices([Channel.NFC, Channel.QR], [4, 1])[0],
        outcome=outcome,
        visitor=f"{rng.getrandbits(96):024x}",
        user_agent=PREVIEW if rng.random() < 0.04 else rng.choices(AGENTS, [5, 4, 3, 1, 1])[0],
        language=rng.choices(["en-GB", "en-NG", "fr-FR"], [5, 4, 1])[0],
        referrer_host="",
        country=rng.choices(["GB", "NG", "GH", "FR", ""], [5, 4, 2, 1, 1])[0],
        me=None,
    )
