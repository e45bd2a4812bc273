"""Compare the start of the app with importing its libraries."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

from .figures import Figure, at_most, interleaved, ratio
from .stage import ROOT, Stage, databases, stage

ROUNDS = 7
HEAVY = ("stripe", "plotly", "matplotlib")
LOADED = """
import json, sys
import wsgi
ours = ("wsgi", "config", "tapcard", "__main__")
print(json.dumps([name for name in sys.modules if name.split(".")[0] not in ours]))
"""
IMPORT = """
import contextlib, importlib, json, sys
for name in json.loads(sys.argv[1]):
    with contextlib.suppress(ImportError):  # some libraries put names into sys.modules that are no modules
        importlib.import_module(name)
"""


def figures() -> Iterator[Figure]:
    for database in databases():
        with stage(database, demo=False) as house:
            names = json.loads(python(house, LOADED))
            libraries = json.dumps(names)
            seconds(house, "import wsgi")
            seconds(house, IMPORT, libraries)
            times = interleaved(
                ROUNDS,
                lambda house=house: seconds(house, "import wsgi"),
                lambda house=house, libraries=libraries: seconds(house, IMPORT, libraries),
            )
            detail = f"({median(times[0]):.2f} : {median(times[1]):.2f} s)"
            name = f"start of the application, {database}"
            yield at_most(name, ratio(times[0], times[1]), 1.5, "× its libraries", detail)
    heavy = sorted({name.split(".")[0] for name in names} & set(HEAVY))
    shown = ", ".join(heavy) or "none"
    yield Figure("loaded before first use", shown, f"none of {', '.join(HEAVY)}", "FAIL" if heavy else "ok")


def python(house: Stage, code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=house.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1] if done.stdout else ""


def seconds(house: Stage, code: str, *arguments: str) -> float:
    began = time.perf_counter()
    python(house, code, *arguments)
    return time.perf_counter() - began
