"""Run the whole suite on SQLite and PostgreSQL, then print the results and what was skipped."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests import external_services

ROOT = Path(__file__).resolve().parent.parent


def run(database: str, left_to_the_other: str, arguments: list[str]) -> tuple[bool, dict[str, int], Counter[str]]:
    """Run pytest on one database; return whether it was green, the counts, and the skipped tests by reason."""
    print(f"\n===== {database} =====", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        environment = {**os.environ, "TEST_DATABASE": database.lower(), "TEST_SUMMARY": str(summary)}
        left_out = ["-m", f"not {left_to_the_other}"] if left_to_the_other else []
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", *left_out, *arguments]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        counts = json.loads(summary.read_text()) if summary.exists() else {}
    return code == 0, counts, Counter(counts.pop("skipped", {}))


def main(arguments: list[str]) -> int:
    databases = ["SQLite"]
    left_out: list[str] = []
    if external_services.postgresql():
        databases.append("PostgreSQL")
    else:
        left_out.append("the whole suite on PostgreSQL, because no server is running (TEST_POSTGRESQL_URL)")
    # pages look the same on both, and PostgreSQL is stricter about invalid input; DATABASES=both runs everything twice
    once = len(databases) > 1 and os.environ.get("DATABASES") != "both"
    elsewhere = {"SQLite": "fuzz" if once else "", "PostgreSQL": "(ui or no_database)" if once else ""}
    green, total, skipped = True, Counter[str](), Counter[str]()
    for database in databases:
        is_green, counts, reasons = run(database, elsewhere[database], arguments)
        green &= is_green
        total.update(counts)
        skipped.update(reasons)
    left_out += [f"{number} tests {reason}" for reason, number in sorted(skipped.items())]
    print()
    for what in left_out:
        print(f"Skipped: {what}.")
    if left_out and os.environ.get("REQUIRE") == "all":
        print("REQUIRE=all doesn't allow skipped tests.")
        green = False
    print(f"Ran on {' and '.join(databases)}.")
    print(f"{total['passed']} passed, {total['failed'] + total['error']} failed, {skipped.total()} skipped")
    return 0 if green else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
