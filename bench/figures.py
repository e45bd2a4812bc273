"""Format a measurement as one line: name, value, budget and result."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """A measurement, formatted for printing."""

    name: str
    value: str
    budget: str
    verdict: str

    def __str__(self) -> str:
        return f"{self.name:<58} {self.value:<36} {self.budget:<28} {self.verdict}"


def at_least(name: str, value: float, budget: float, unit: str = "×", detail: str = "") -> Figure:
    """Return a figure that passes if the value is at least the budget."""
    return _figure(name, value, budget, unit, detail, "≥")


def at_most(name: str, value: float, budget: float, unit: str = "×", detail: str = "") -> Figure:
    """Return a figure that passes if the value is at most the budget."""
    return _figure(name, value, budget, unit, detail, "≤")


def skipped(name: str, tool: str) -> Figure:
    """Return a figure that wasn't measured, because a tool isn't installed."""
    return Figure(name, f"{tool} not available", "", "skipped")


def _figure(name: str, value: float, budget: float, unit: str, detail: str, sign: str) -> Figure:
    is_met = value >= budget if sign == "≥" else value <= budget
    text = f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.2f} {unit}"
    limit = f"{budget:,.0f}" if budget >= 1000 else f"{budget:g}"
    return Figure(name, f"{text} {detail}".strip(), f"{sign} {limit} {unit}", "ok" if is_met else "FAIL")


def interleaved(rounds: int, *sides: Callable[[], float]) -> list[list[float]]:
    """Measure several functions in turn, so that other load on the machine affects all of them.

    Return the results of each function, one per round.
    """
    results: list[list[float]] = [[] for _ in sides]
    for number in range(rounds):
        for index in range(len(sides)):
            side = (index + number) % len(sides)
            results[side].append(sides[side]())
    return results


def ratio(over: list[float], under: list[float]) -> float:
    """Return the median of the ratios of each round."""
    return median(a / b for a, b in zip(over, under, strict=True))
