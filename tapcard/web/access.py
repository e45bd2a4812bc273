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
    """An endpoint has no access rule, or an invalid one."""


@dataclass(frozen=True)
class Rule:
    """A rule about who may open a page. Views check rows in the path, such as an order's number, themselves."""

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
        """Return the response to send instead of the page, or None if the visitor may open it.

        The page does not exist for a logged-in user without the permission. Staff who need a second factor and have
        none are redirected to set it up, and see nothing else of the back office.
        """
        if not self.needs_login:
            return None
        if not current_user.is_authenticated:
            return unauthorized_json() if self.is_for_programs else redirect_to_log_in()
        if not self.admits(current_user):
            abort(404)
        if self.permission is not None and needs_two_factor_setup():
            return redirect_to_two_factor_setup()
        return None


PUBLIC = Rule("public")  # all visitors
SYSTEM = Rule("system")  # supervisors and load balancers, which have no account
SIGNED_LINK = Rule("signed link")  # visitors with the link: a token in the path grants access to one row
BUYER = Rule("buyer")  # all visitors, with or without an account; rows in the path belong to the account or the browser
HOLDER = Rule("holder", needs_login=True)  # logged-in users; rows in the path are theirs
HOLDER_DATA = Rule("holder data", needs_login=True, is_for_programs=True)  # the same, with 401 instead of a page


def staff(permission: str) -> Rule:
    """Return the rule of a back office page for users with a permission."""
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
    """Raise `AccessError` if an endpoint has no rule, or asks for a permission that no role has."""
    permissions = {permission for names in roles.fixed_roles().values() for permission in names}
    for endpoint in {rule.endpoint for rule in app.url_map.iter_rules()}:
        rule = rule_of(app, endpoint)
        if rule is None:
            raise AccessError(f"{endpoint} does not say who may open it: tag its view with @access(...).")
        if rule.permission is not None and rule.permission not in permissions:
            raise AccessError(f"{endpoint} asks for a permission that no role has: {rule.permission}.")


def may_open(endpoint: str) -> bool:
    """Return whether the visitor may open a page, by its rule."""
    rule = rule_of(current_app, endpoint)
    return rule is not None and rule.admits(current_user)


# --- responses to refused visitors ------------------------------------------------------------------------------------


def needs_two_factor_setup() -> bool:
    """Return whether the visitor is staff and still has to set up the required second factor."""
    is_needed = current_app.config["TAPCARD"].requires_staff_two_factor and current_user.is_staff
    return bool(is_needed and not current_user.has_two_factor)


def redirect_to_two_factor_setup() -> Response:
    """Redirect to the two-factor set-up, and then back here."""
    return redirect(url_for("auth.set_up_two_factor", next=current_path()))


def redirect_to_log_in() -> Response:
    """Redirect to log in, and then back here; after a POST, to the dashboard instead."""
    return redirect(url_for("auth.log_in", next=current_path()))


def unauthorized_json() -> Response:
    """Return a 401 response with a JSON body, for programs."""
    response = make_response(jsonify({"error": _("Log in first.")}), 401)
    response.headers["Cache-Control"] = "no-store"
    return response


def current_path() -> str | None:
    """Return the path of the current page to come back to, or None after a POST."""
    path = request.script_root + request.full_path.removesuffix("?") if request.method in READING_METHODS else None
    return safe_next(path)
