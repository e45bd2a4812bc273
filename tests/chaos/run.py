"""Kill web server, worker and drainer at random moments under load and check that every answered tap is stored once.

Each round sends a few hundred taps, each with its own user agent, from several threads to a real granian and a real
worker on the loopback address. At a random moment a process gets SIGKILL. Then everything is started again, the spool
is drained, and the tables are compared with the responses.
"""

import argparse
import contextlib
import http.client
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from config import Config
from tapcard.app import create_app
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.models import Card, CardStatus, ClaimPolicy, Profile, Tap, TapHour, Target, User, UserAgent
from tapcard.spool import NAME
from tests import external_services
from tests.web_server import free_port, granian

ROOT = Path(__file__).resolve().parents[2]
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]

VICTIMS = ("web", "one web process", "worker", "both", "drainer")
# most of them by the fast path, some by Flask
PATHS = ("/t/CHAOSURL",) * 6 + ("/q/CHAOSURL", "/card/chaosurl/", "/t/CHAOSPRO", "/t/CHAOSNEW")
THREADS, TAPS_A_THREAD = 6, 60
ANSWERED = (200, 302)
PATIENCE = 30.0


@dataclass
class Process:
    """A child process in its own process group."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self.running is None or self.running.poll() is not None:
            with open(self.log, "ab") as log:
                self.running = subprocess.Popen(
                    self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )

    def kill(self) -> None:
        if self.running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()

    def kill_one_child(self, chance: random.Random) -> None:
        assert self.running is not None
        listing = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children")
        if children := [int(pid) for pid in listing.read_text().split()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(children), signal.SIGKILL)


@dataclass
class Installation:
    """A database with a web server and a worker."""

    name: str
    folder: Path
    database_url: str
    port: int
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        ours = {
            "INSTANCE_PATH": str(self.folder / "instance"),
            "DATABASE_URL": self.database_url,
            "PORT": str(self.port),
            "FLOOD_LIMIT": "100000 per second",
            "SECRET_KEY": secrets.token_hex(),
        }
        self.environment = {**os.environ, **ours}
        self.config = Config.from_env(self.environment)
        self.web = Process(granian("wsgi:app", self.port), self.environment, self.folder / "web.log")
        self.worker = Process([*FLASK, "worker"], self.environment, self.folder / "worker.log")

    def prepare(self) -> None:
        self.run("db", "upgrade")
        app = create_app(self.config)
        with app.app_context():
            ada = User(email="ada@example.com", first_name="Ada", last_name="Chaos", verified_at=utcnow())
            profile = Profile(owner=ada, slug="ada-chaos", name="Ada")
            owned = {"owner": ada, "status": CardStatus.ACTIVE}
            db.session.add_all(
                [
                    Card(token="CHAOSURL", target=Target.URL, reroute_url="https://example.com/", **owned),
                    Card(token="CHAOSPRO", target=Target.PROFILE, profile=profile, **owned),
                    Card(token="CHAOSNEW", claim_policy=ClaimPolicy.OPEN),
                ]
            )
            db.session.commit()
            db.engine.dispose()

    def run(self, *arguments: str) -> None:
        done = subprocess.run(
            [*FLASK, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"flask {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")

    def start(self) -> None:
        self.web.start()
        self.worker.start()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.05)
        sys.exit(f"The application did not start:\n{(self.folder / 'web.log').read_text()[-3000:]}")

    def stop(self) -> None:
        self.web.kill()
        self.worker.kill()

    def spool_files(self) -> list[Path]:
        return [path for path in (self.folder / "instance" / "spool").iterdir() if NAME.fullmatch(path.name)]


class Load:
    """Send taps from several threads and remember those that were answered."""

    def __init__(self, port: int, prefix: str, chance: random.Random) -> None:
        self.port = port
        self.answered: list[str] = []
        self.unanswered = 0
        self.strange: list[str] = []
        self._threads = [
            threading.Thread(target=self._tap, args=(f"{prefix}/{number}", random.Random(chance.random())))
            for number in range(THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def _tap(self, prefix: str, chance: random.Random) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for number in range(TAPS_A_THREAD):
            agent = f"{prefix}/{number}"
            try:
                connection.request("GET", chance.choice(PATHS), headers={"User-Agent": agent})
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                connection.close()
                time.sleep(0.05)
            else:
                if response.status in ANSWERED:
                    self.answered.append(agent)
                else:
                    self.strange.append(f"{agent}: {response.status}")
            time.sleep(chance.random() * 0.02)
        connection.close()


def run_round(installation: Installation, number: int, chance: random.Random) -> tuple[str, Load]:
    """Run one round of load with a kill; return the name of the killed process."""
    victim = VICTIMS[number % len(VICTIMS)] if number < len(VICTIMS) else chance.choice(VICTIMS)
    installation.start()
    load = Load(installation.port, f"chaos/{installation.name}/{number}", chance)
    load.start()
    time.sleep(0.1 + chance.random() * 0.6)
    if victim == "one web process":
        installation.web.kill_one_child(chance)
    if victim in ("web", "both", "drainer"):
        installation.web.kill()
    if victim in ("worker", "both", "drainer"):
        installation.worker.kill()
    if victim == "drainer":
        for _ in range(1 + chance.randrange(2)):
            before = installation.spool_files()
            script = [sys.executable, "-m", "tests.chaos.dying_drainer"]
            died = subprocess.run(script, cwd=ROOT, env=installation.environment, check=False, capture_output=True)
            if before and died.returncode != -signal.SIGKILL:
                sys.exit(f"The drainer should have died:\n{died.stderr.decode()}")
    if chance.random() < 0.5:
        installation.start()  # in some rounds the load is still running
    load.wait()
    return victim, load


def check_tables(installation: Installation, prefix: str, load: Load) -> list[str]:
    """Drain everything next to the restarted worker, then compare."""
    installation.start()
    for _ in range(5):
        installation.run("taps", "drain")
        wrong = compare(installation, prefix, load)
        if not wrong:
            return []
        time.sleep(1)  # the worker may be processing a chunk
    return wrong


def compare(installation: Installation, prefix: str, load: Load) -> list[str]:
    """Return all differences between tables and responses."""
    app = create_app(installation.config)
    with app.app_context(), transactions(writing=False):
        agents = (
            sa.select(UserAgent.text, sa.func.count())
            .join(Tap, Tap.user_agent_id == UserAgent.id)
            .where(UserAgent.text.startswith(f"{prefix}/"))
            .group_by(UserAgent.text)
        )
        stored = {text: count for text, count in db.session.execute(agents)}  # noqa: C416
        taps = db.session.scalar(sa.select(sa.func.count()).select_from(Tap))
        counted = db.session.scalar(sa.select(sa.func.sum(TapHour.tap_count)))
        failures = app.extensions["spool"].failure_count()
        db.session.rollback()
        db.engine.dispose()
    wrong = [f"answered but missing: {agent}" for agent in load.answered if agent not in stored]
    wrong += [f"stored {count} times: {agent}" for agent, count in stored.items() if count != 1]
    wrong += [f"unexpected answer: {what}" for what in load.strange]
    if taps != counted:
        wrong.append(f"{taps} taps, but the roll-ups count {counted}")
    if failures:
        wrong.append(f"{failures} recordings failed")
    return wrong


def run_rounds(installation: Installation, rounds: int, seed: int) -> bool:
    """Run all rounds on one database."""
    installation.prepare()
    chance = random.Random(f"{installation.name}-{seed}")
    answered = missing = 0
    began = time.monotonic()
    try:
        for number in range(rounds):
            victim, load = run_round(installation, number, chance)
            wrong = check_tables(installation, f"chaos/{installation.name}/{number}", load)
            answered += len(load.answered)
            missing += len(wrong)
            print(
                f"{installation.name} round {number + 1}: killed {victim}; {len(load.answered)} answered, "
                f"{load.unanswered} unanswered; {'every answered tap is stored once' if not wrong else 'FAILED'}",
                flush=True,
            )
            for line in wrong[:10]:
                print(f"    {line}", flush=True)
    finally:
        installation.stop()
    print(
        f"{installation.name}: {rounds} rounds in {time.monotonic() - began:.0f} s, seed {seed}: "
        f"{answered} taps answered, {missing} missing or duplicated",
        flush=True,
    )
    return not missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(1_000_000)
    good = True
    if arguments.database != "postgresql":
        with tempfile.TemporaryDirectory(prefix="tapcard-chaos-") as folder:
            url = f"sqlite:///{folder}/chaos.sqlite"
            good &= run_rounds(Installation("SQLite", Path(folder), url, free_port()), arguments.rounds, seed)
    if arguments.database != "sqlite" and not external_services.postgresql():
        print("PostgreSQL: skipped because no server is running (TEST_POSTGRESQL_URL)")
        good &= os.environ.get("REQUIRE") != "all"
    elif arguments.database != "sqlite":
        with (
            external_services.new_database("chaos") as url,
            tempfile.TemporaryDirectory(prefix="tapcard-chaos-") as folder,
        ):
            good &= run_rounds(Installation("PostgreSQL", Path(folder), url, free_port()), arguments.rounds, seed)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
