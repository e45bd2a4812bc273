"""Run the benchmarks and compare them with the budgets; arguments select groups, by default all of them."""

import sys
from collections.abc import Callable, Iterator

from . import drain, lookup, memory, pages, start, statistics, taps
from .figures import Figure

GROUPS: dict[str, Callable[[], Iterator[Figure]]] = {
    "taps": taps.figures,
    "drain": drain.figures,
    "lookup": lookup.figures,
    "statistics": statistics.figures,
    "pages": pages.figures,
    "start": start.figures,
    "memory": memory.figures,
}


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in GROUPS]:
        sys.exit(f"There is no group {unknown[0]!r}. Available groups: {', '.join(GROUPS)}.")
    results: list[Figure] = []
    for name in names or GROUPS:
        for figure in GROUPS[name]():
            print(figure, flush=True)
            results.append(figure)
    verdicts = [figure.verdict for figure in results]
    print(f"\n{verdicts.count('ok')} ok, {verdicts.count('FAIL')} failed, {verdicts.count('skipped')} skipped")
    return 1 if "FAIL" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
