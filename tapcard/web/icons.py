"""Bootstrap Icons as inline SVG, read from the sprite of Bootstrap-Flask on first use."""

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
    """Add `icon()` and the charts to the template globals."""
    app.jinja_env.globals.update(icon=icon, bar_chart_of=bar_chart)


def icon(name: str, label: str | None = None) -> Markup:
    """Return an icon as SVG: labeled, or else hidden from screen readers."""
    return _drawn(name, Markup('role="img" aria-label="{}"').format(label)) if label else _hidden(name)


@cache
def _hidden(name: str) -> Markup:
    """Return a hidden icon; cached, as list pages show hundreds."""
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
