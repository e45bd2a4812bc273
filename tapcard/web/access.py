"""Access rules: every view carries one as a tag, and the tag enforces it.

A view names its rule below its routes:

    @bp.get("/account")
    @access(HOLDER)
    def account() -> str: ...

Views of Flask-Admin are classes and carry it as the class attribute `access`. `check` refuses to start an application
in which an endpoint has no rule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, abort, current_app, jsonify, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..services.accounts import roles
from .redirects import safe_next

P = ParamSpec("P")
R = TypeVar("R")

READING_METHODS = ("GET", "HEAD")
STAFF = "staff:"  # and a permission


class AccessError(Exception):
    """An endpoint has no access rule, or one that cannot be right."""


@dataclass(frozen=True)
class Rule:
    """Who may open a page. What stands in the path, such as the number of an order, the view checks itself."""

    name: str
    needs_login: bool = False
    permission: str | None = None
    is_for_programs: bool = False

    def admits(self, user: Any) -> bool:
        """Return whether a user may open the page, apart from the second factor that staff may need."""
        return (user.is_authenticated or not self.needs_login) and (
            self.permission is None or user.may(self.permission)
        )

    def refusal(self) -> Response | None:
        """Return what the visitor gets instead of the page, or None if they may open it.

        For whoever is logged in without the permission, the page does not exist. Where staff need a second factor, who
        has none yet is led to set it up, and sees nothing else of the back office.
        """
        if not self.needs_login:
            return None
        if not current_user.is_authenticated:
            return log_in_first() if self.is_for_programs else to_log_in()
        if not self.admits(current_user):
            abort(404)
        if self.permission is not None and lacks_second_factor():
            return to_set_up()
        return None


PUBLIC = Rule("public")  # everybody
SYSTEM = Rule("system")  # supervisors and load balancers, which have no account
SIGNED_LINK = Rule("signed link")  # whoever has the link: a token in the path says what it opens
BUYER = Rule("buyer")  # everybody, with or without an account; rows in the path belong to it, or to the browser
HOLDER = Rule("holder", needs_login=True)  # whoever is logged in; rows in the path are theirs
HOLDER_DATA = Rule("holder data", needs_login=True, is_for_programs=True)  # the same, with 401 instead of a page


def staff(permission: str) -> Rule:
    """Return the rule of a page of the back office: whoever has a permission."""
    return Rule(STAFF + permission, needs_login=True, permission=permission)


def access(rule: Rule | str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Tag a view with its rule, one of those above or like "staff:orders.view", and enforce it."""
    if isinstance(rule, str):
        if not rule.startswith(STAFF):
            raise AccessError(f"There is no access rule {rule!r}.")
        rule = staff(rule.removeprefix(STAFF))

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        if hasattr(view, "access"):
            raise AccessError(f"{view!r} has two access rules.")

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            refusal = rule.refusal()
            return view(*args, **kwargs) if refusal is None else refusal

        guarded.access = rule  # type: ignore[attr-defined]
        return guarded

    return decorate


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    """Return the access rule of an endpoint: of its view, or of the class whose method that is."""
    view = app.view_functions.get(endpoint)
    rule = getattr(view, "access", None) or getattr(getattr(view, "__self__", None), "access", None)
    return rule if isinstance(rule, Rule) else None


def check(app: Flask) -> None:
    """Raise `AccessError` if an endpoint has no rule, or asks for a permission that no role of ours has."""
    known = {permission for permissions in roles.fixed_roles().values() for permission in permissions}
    for endpoint in {rule.endpoint for rule in app.url_map.iter_rules()}:
        rule = rule_of(app, endpoint)
        if rule is None:
            raise AccessError(f"{endpoint} does not say who may open it: tag its view with @access(...).")
        if rule.permission is not None and rule.permission not in known:
            raise AccessError(f"{endpoint} asks for a permission that no role has: {rule.permission}.")


def may_open(endpoint: str) -> bool:
    """Return whether the visitor may open a page, by its rule."""
    rule = rule_of(current_app, endpoint)
    return rule is not None and rule.admits(current_user)


# --- what others get --------------------------------------------------------------------------------------------------


def lacks_second_factor() -> bool:
    """Return whether the visitor works for the shop, and has yet to set up the second factor that this takes."""
    is_needed = current_app.config["TAPCARD"].requires_staff_two_factor and current_user.is_staff
    return bool(is_needed and not current_user.has_two_factor)


def to_set_up() -> Response:
    """Send the visitor to set up two-factor log in, and then back here."""
    return redirect(url_for("auth.set_up_two_factor", next=here()))


def to_log_in() -> Response:
    """Send the visitor to log in, and then back here; what was posted is not sent again, so then to the dashboard."""
    return redirect(url_for("auth.log_in", next=here()))


def log_in_first() -> Response:
    """Tell a program that it has to log in."""
    response = make_response(jsonify({"error": _("Log in first.")}), 401)
    response.headers["Cache-Control"] = "no-store"
    return response


def here() -> str | None:
    """Return the present page, to come back to, if it can be."""
    path = request.script_root + request.full_path.removesuffix("?") if request.method in READING_METHODS else None
    return safe_next(path)
