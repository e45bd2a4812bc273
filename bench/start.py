"""Compare the start-up time of the app with importing its libraries."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

from .figures import Figure, at_most, interleaved, ratio
from .installation import ROOT, Installation, databases, temporary_installation

ROUNDS = 7
HEAVY = ("stripe", "plotly", "matplotlib")
LIST_LIBRARIES = """
import json, sys
import wsgi
ours = ("wsgi", "config", "tapcard", "__main__")
print(json.dumps([name for name in sys.modules if name.split(".")[0] not in ours]))
"""
IMPORT_LIBRARIES = """
import contextlib, importlib, json, sys
for name in json.loads(sys.argv[1]):
    with contextlib.suppress(ImportError):  # some libraries add names to sys.modules that aren't modules
        importlib.import_module(name)
"""


def figures() -> Iterator[Figure]:
    for database in databases():
        with temporary_installation(database, demo=False) as installation:
            names = json.loads(python(installation, LIST_LIBRARIES))
            libraries = json.dumps(names)
            seconds(installation, "import wsgi")
            seconds(installation, IMPORT_LIBRARIES, libraries)
            times = interleaved(
                ROUNDS,
                lambda installation=installation: seconds(installation, "import wsgi"),
                lambda installation=installation, libraries=libraries: seconds(
                    installation, IMPORT_LIBRARIES, libraries
                ),
            )
            detail = f"({median(times[0]):.2f} : {median(times[1]):.2f} s)"
            name = f"start of the application, {database}"
            yield at_most(name, ratio(times[0], times[1]), 1.5, "× its libraries", detail)
    heavy = sorted({name.split(".")[0] for name in names} & set(HEAVY))
    names_text = ", ".join(heavy) or "none"
    yield Figure("loaded before first use", names_text, f"none of {', '.join(HEAVY)}", "FAIL" if heavy else "ok")


def python(installation: Installation, code: str, *arguments: str) -> str:
    """Run Python code in a new process and return the last line it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=installation.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.splitlines()[-1] if result.stdout else ""


def seconds(installation: Installation, code: str, *arguments: str) -> float:
    """Return how many seconds Python code takes in a new process."""
    started = time.perf_counter()
    python(installation, code, *arguments)
    return time.perf_counter() - started
