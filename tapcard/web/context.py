"""The rule context of a request."""

from flask import current_app
from flask_login import current_user

from ..clock import utcnow
from ..context import RuleContext
from . import filters


def rule_context() -> RuleContext:
    """Return the shop's settings, its keys, the time and the logged-in user."""
    actor = current_user if current_user.is_authenticated else None
    return RuleContext(filters.shop(), current_app.extensions["keys"], utcnow(), actor)
