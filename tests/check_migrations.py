"""Check that the migrations create exactly the tables of the models, on SQLite and PostgreSQL."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import external_services

ROOT = Path(__file__).resolve().parent.parent


def check(instance: str, database_url: str) -> bool:
    """Upgrade an empty database and compare it with the models."""
    environment = {**os.environ, "INSTANCE_PATH": instance, "DATABASE_URL": database_url, "APP_ENV": "testing"}
    for step in ("upgrade", "check"):
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", step]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"flask db {step} failed:\n{done.stdout}\n{done.stderr}")
            return False
    return True


def main() -> int:
    verdicts = {True: "migrations and models agree", False: "migrations and models differ"}
    with tempfile.TemporaryDirectory() as folder:
        good = check(folder, f"sqlite:///{folder}/check.sqlite")
        print(f"SQLite: {verdicts[good]}")
        if external_services.postgresql():
            with external_services.new_database("migrations") as url:
                agrees = check(folder, url)
            print(f"PostgreSQL: {verdicts[agrees]}")
        else:
            print("PostgreSQL: skipped because no server is running (TEST_POSTGRESQL_URL)")
            agrees = os.environ.get("REQUIRE") != "all"
    return 0 if good and agrees else 1


if __name__ == "__main__":
    sys.exit(main())
