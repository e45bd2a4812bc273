"""Drawings: Bootstrap Icons as inline SVG, cut from the sprite inside Bootstrap-Flask when first needed, and charts."""

import re
from functools import cache
from pathlib import Path

import flask_bootstrap
from flask import Flask
from markupsafe import Markup

from .charts import bar_chart

SPRITE = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "icons" / "bootstrap-icons.svg"
SYMBOL = re.compile(r'<symbol [^>]*?viewBox="([^"]+)" id="([^"]+)">(.*?)</symbol>', re.DOTALL)


def init_app(app: Flask) -> None:
    """Give `icon()` and the charts to every template."""
    app.jinja_env.globals.update(icon=icon, bar_chart_of=bar_chart)


def icon(name: str, label: str | None = None) -> Markup:
    """Draw an icon: hidden from screen readers, or an image with a label."""
    return _drawn(name, Markup('role="img" aria-label="{}"').format(label)) if label else _hidden(name)


@cache
def _hidden(name: str) -> Markup:
    """A page of a list has a hundred of them."""
    return _drawn(name, Markup('aria-hidden="true"'))


def _drawn(name: str, role: Markup) -> Markup:
    view_box, paths = _symbols()[name]
    return Markup('<svg class="tc-icon" viewBox="{}" fill="currentColor" {} focusable="false">{}</svg>').format(
        view_box,
        role,
        Markup(paths),  # noqa: S704  Bootstrap's own drawing
    )


@cache
def _symbols() -> dict[str, tuple[str, str]]:
    return {name: (view_box, paths) for view_box, name, paths in SYMBOL.findall(SPRITE.read_text())}
