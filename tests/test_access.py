"""Access: everybody visits every endpoint, and gets what its tag says.

The tag of an endpoint (`tapcard/web/access.py`) tells what each role must get, so a new view is tested without being
listed here. If its path takes an argument that no other does, give `sample_values` in `tests/stage.py` a value for it.
"""

import enum
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule as Address
from werkzeug.test import TestResponse

from config import Config
from tapcard.admin import tables
from tapcard.app import create_app
from tapcard.db import db
from tapcard.models import Profile
from tapcard.services.accounts import roles
from tapcard.shop import views as shop_views
from tapcard.tap import dashboard
from tapcard.web.access import (
    BUYER,
    HOLDER,
    HOLDER_DATA,
    PUBLIC,
    SIGNED_LINK,
    AccessError,
    Rule,
    access,
    check,
)
from tapcard.web.security import csrf
from tests.pages import LINK
from tests.stage import BACK_OFFICE_TABLES, NOBODY, USERS, Role, Stage, arranged, by_role
from tests.statements import statements, writes

pytestmark = pytest.mark.ui
EXPIRED = "This form has expired."
# what mail programs send by themselves (RFC 8058): the address is signed, and does one harmless thing
WITHOUT_TOKEN = {
    "tapcard.tap.statistics.stop_weekly_mail",
    "tapcard.shop.newsletter.unsubscribe",
    "tapcard.shop.newsletter.start_subscribing",  # stands on every page; only shows the form that has a token
}


@pytest.fixture(scope="module")
def stage(application: Flask) -> Iterator[Stage]:
    """Everything that a path may name, arranged once."""
    with arranged(application) as made:
        yield made


# --- what a tag says --------------------------------------------------------------------------------------------------


class Outcome(enum.Enum):
    """What a visitor gets, as far as access goes."""

    IN = "the page, or what it says of an empty form"
    ON = "a redirect that leads on"
    LOG_IN = "to log in"
    SET_UP = "to set up the second factor"
    UNAUTHORIZED = "401"
    MISSING = "404"
    FAULT = "something that is no answer to anybody"


IN, ON, LOG_IN, SET_UP, UNAUTHORIZED, MISSING, FAULT = Outcome


def outcome_of(answer: TestResponse) -> Outcome:
    """Return what an answer amounts to."""
    if answer.status_code in (301, 302, 303):
        path = urlsplit(answer.location or "").path
        return {"/log-in": LOG_IN, "/account/two-factor/set-up": SET_UP}.get(path, ON)
    if answer.status_code in (401, 404):
        return Outcome(str(answer.status_code))
    is_sound = answer.status_code == 200 or (answer.status_code in (400, 409, 422) and EXPIRED not in answer.text)
    return IN if is_sound else FAULT


ENTERS, LEAVES = {IN, ON}, {MISSING}
ANYBODY = "anybody"  # whom the tag lets in
OFF = {ANYBODY: LEAVES}
# where the tag alone does not tell what a visitor gets
EXCEPTIONS: dict[str, dict[str, set[Outcome]]] = {
    # only whoever typed a right password, or came back to a closed account, goes on from there
    "auth.second_factor": {NOBODY: {LOG_IN}},
    "auth.reopen": {ANYBODY: {LOG_IN}},
    # once confirmed, whoever is not logged in with that account does that
    "auth.verify": {"ada": ENTERS, ANYBODY: {IN, LOG_IN}},
    # there is no second factor to do without
    "auth.new_recovery_codes": OFF,
    "auth.download_codes": OFF,
    "auth.switch_off_two_factor": OFF,
    # Ada's card is offered to Cleo, who has to confirm her address first
    "tap.offer": {"ada": LEAVES, "cleo": ENTERS, "ada-unverified": ENTERS},
    "tap.accept_offer": {"ada": LEAVES, "cleo-unverified": LEAVES, "cleo": ENTERS},
    "tap.decline_offer": {"ada": LEAVES, "cleo-unverified": LEAVES, "cleo": ENTERS},
    # leads are shown once the address is confirmed
    "tap.lead_vcf": {"ada-unverified": LEAVES},
    "tap.delete_lead": {"ada-unverified": LEAVES},
    # whoever has a card in their hand may claim it, or reads that it has an owner
    "tap.claim": {ANYBODY: ENTERS},
    # a guest who presses the button is asked to log in
    "shop.activate": {NOBODY: {LOG_IN}},
    "shop.wish": {NOBODY: {LOG_IN}},
    "shop.unwish": {NOBODY: {LOG_IN}},
    # the buyer may just not be logged in
    "shop.codes": {NOBODY: {LOG_IN}},
    "shop.codes_csv": {NOBODY: {LOG_IN}},
    "shop.codes_sheet": {NOBODY: {LOG_IN}},
    # nothing in Flask-Admin's tables is made, changed or taken out; the start page is ours, at /admin/
    "admin.index": OFF,
    **{f"{table}.{view}": {ANYBODY: ENTERS} for table in BACK_OFFICE_TABLES
       for view in ("create_view", "edit_view", "export")},
    **{f"{table}.{view}": OFF for table in BACK_OFFICE_TABLES for view in ("ajax_lookup", "ajax_update")},
}  # fmt: skip


def expected(rule: Rule, address: Address, role: Role, method: str) -> set[Outcome]:
    """Return what a visitor may get by the tag of an endpoint, where the things in its path are Ada's."""
    if rule.needs_login and role.who == NOBODY:
        return {UNAUTHORIZED if rule == HOLDER_DATA else LOG_IN}
    if rule.permission is not None:
        if not {"*", rule.permission} & permissions_of(role):
            return {MISSING}
        if role.needs_second_factor:
            return {SET_UP}
    exceptions = EXCEPTIONS.get(address.endpoint, {})
    for who in (str(role), role.who, ANYBODY):
        if who in exceptions:
            return exceptions[who]
    if rule in (HOLDER, BUYER) and address.arguments and role.who != "ada":
        return {MISSING}
    return ENTERS if method == "POST" or rule in (PUBLIC, SIGNED_LINK) else {IN}


def permissions_of(role: Role) -> set[str]:
    """Return what a role may do in the back office."""
    return {permission for each in USERS.get(role.who, ()) for permission in roles.fixed_roles()[each]}


def concerns(rule: Rule, role: Role) -> bool:
    """Return whether a role visits an endpoint: everybody all of them, and variants what is special about them."""
    if role.who in ("teacher", "assistant") or role.needs_second_factor:
        return rule.permission is not None
    return role.is_verified or rule in (HOLDER, BUYER)


def is_at_home(rule: Rule, role: Role) -> bool:
    """Return whether a role is the one that gets furthest with an endpoint."""
    return str(role) == (
        "ben" if rule.permission is not None else "ada" if rule.needs_login or rule == BUYER else NOBODY
    )


# --- everybody everywhere ---------------------------------------------------------------------------------------------


@by_role
def test_each_role_opens_only_its_pages_and_changes_nothing(stage: Stage, role: Role) -> None:
    """GET, and once HEAD, which is the same view."""
    wrong, elsewhere = {}, set()
    with stage.visited_by(role) as client:
        for address, rule, path in visits(stage, role, "GET"):
            for method in ("GET", "HEAD") if is_at_home(rule, role) else ("GET",):
                with statements() as asked, client.open(path, method=method) as answer:
                    if (got := outcome_of(answer)) not in expected(rule, address, role, method):
                        wrong[f"{method} {address.endpoint}"] = (got, answer.status_code, answer.location)
                    elsewhere |= links_away(answer)
                assert writes(asked) == [], f"{method} {path}"
    assert wrong == {}
    assert {urlsplit(link).hostname for link in elsewhere} <= {"localhost", "example.com"}  # no third party is asked


@by_role
def test_each_role_submits_only_its_forms(stage: Stage, role: Role) -> None:
    """Each form is sent empty, and once before that with a wrong token, which nothing takes."""
    wrong = {}
    with stage.visited_by(role) as client:
        form = {"csrf_token": client.csrf_token()}
        for address, rule, path in visits(stage, role, "POST"):
            if is_at_home(rule, role) and name_of(stage.app, address.endpoint) not in WITHOUT_TOKEN:
                answer = client.post(path, data={"csrf_token": "made up"})
                assert answer.status_code == 400, path
                assert EXPIRED in answer.text, path
            with statements() as asked, client.post(path, data=form) as answer:
                if (got := outcome_of(answer)) not in expected(rule, address, role, "POST"):
                    wrong[address.endpoint] = (got, answer.status_code, answer.location)
            if writes(asked) or not stage.is_as_arranged(role):
                stage.put_back()
    assert wrong == {}


def visits(stage: Stage, role: Role, method: str) -> Iterator[tuple[Address, Rule, str]]:
    """Go through the addresses that a role visits, with their rules."""
    for address in stage.addresses(method):
        rule = stage.rule_of(address)
        if concerns(rule, role):
            yield address, rule, stage.path_of(address)


def links_away(answer: TestResponse) -> set[str]:
    """Return the links of a page to other sites, for browsers or for people."""
    text = answer.text if answer.mimetype == "text/html" else ""
    links = map(unescape, LINK.findall(text))
    return {link for link in links if urlsplit(link).netloc and not link.startswith("otpauth:")}


def name_of(app: Flask, endpoint: str) -> str:
    """Return how Flask-WTF calls a view."""
    view = app.view_functions[endpoint]
    return f"{view.__module__}.{view.__name__}"


def test_no_form_is_exempt_from_csrf_protection(stage: Stage) -> None:
    config = stage.app.config
    assert csrf._exempt_views == WITHOUT_TOKEN
    assert csrf._exempt_blueprints == set()
    assert config.get("WTF_CSRF_ENABLED", True)
    assert config.get("WTF_CSRF_CHECK_DEFAULT", True)
    assert set(config.get("WTF_CSRF_METHODS", ())) in (set(), {"POST", "PUT", "PATCH", "DELETE"})


def test_endpoints_only_accept_get_and_post(stage: Stage) -> None:
    """H37: there is no programming interface besides the pages."""
    methods = {method for address in stage.app.url_map.iter_rules() for method in address.methods or ()}
    assert methods == {"GET", "HEAD", "OPTIONS", "POST"}


# --- what the tags themselves must say --------------------------------------------------------------------------------


def test_only_its_permission_opens_a_staff_page(stage: Stage) -> None:
    """Somebody with this one permission gets in, somebody with all others does not."""
    tagged: dict[str, list[tuple[str, Address]]] = {}
    for method in ("GET", "POST"):
        for address in stage.addresses(method):
            tagged.setdefault(stage.rule_of(address).permission or "", []).append((method, address))
    tagged.pop("")
    wrong = set()
    with stage.visited_by(Role("assistant")) as client, stage.permitted("assistant") as permit:
        form = {"csrf_token": client.csrf_token()}
        for permission, addresses in tagged.items():
            for permissions, is_let_in in ({permission}, True), (set(tagged) - {permission}, False):
                permit(permissions)
                for method, address in addresses:
                    is_off = EXCEPTIONS.get(address.endpoint) == OFF
                    wanted = ENTERS if is_let_in and not is_off else LEAVES
                    path, data = stage.path_of(address), form if method == "POST" else None
                    with statements() as asked, client.open(path, method=method, data=data) as answer:
                        if outcome_of(answer) not in wanted:
                            wrong.add((permission, is_let_in, method, address.endpoint, answer.status_code))
                    if writes(asked):
                        stage.put_back()
                        permit(permissions)
    assert wrong == set()


# what the parts of the back office ask for; the longest beginning counts, and a new part needs no line
PERMISSIONS = {
    "/admin/cards/register": "cards.register",
    "/admin/cards/<token>/code": "cards.make",
    "/admin/credit": "credit.give",
    "/admin/currencies": "catalogue.edit",
    "/admin/delivery": "delivery.edit",
    "/admin/designs": "designs.edit",
    "/admin/enquiries": "enquiries.answer",
    "/admin/hosts": "hosts.block",
    "/admin/orders": "orders.view",  # and to send something, orders.edit
    "/admin/orders/<number>/cards.csv": "cards.make",  # with the codes
    "/admin/orders/<number>/payment": "payments.confirm",
    "/admin/pages": "pages.edit",
    "/admin/products": "catalogue.edit",
    "/admin/promotions": "promotions.edit",
    "/admin/reviews": "reviews.decide",
    "/admin/shelves": "catalogue.edit",
    "/admin/subscribers": "newsletter.view",
    "/admin/tables/": "cards.view",
    "/admin/tables/audit": "audit.view",
    "/admin/tables/outbox": "mails.view",
}
# one's own things, which take a login; and what stands among them for everybody
OWN = ("/account", "/api/", "/cards/", "/dashboard", "/leads", "/offers", "/profiles", "/statistics", "/wishlist")
OPEN = {"auth.closed", "auth.reopen", "shop.order_cards", "shop.wish", "shop.unwish"}


def test_each_part_of_the_back_office_requires_its_permission(stage: Stage) -> None:
    for address in stage.app.url_map.iter_rules():
        rule = stage.rule_of(address)
        is_inside = address.rule.startswith("/admin/") and address.endpoint != "admin.static"
        assert (rule.permission is not None) == is_inside, address
        part = max((part for part in PERMISSIONS if address.rule.startswith(part)), key=len, default="")
        wanted = PERMISSIONS.get(part, rule.permission if is_inside else None)
        if wanted == "orders.view" and "POST" in (address.methods or ()):
            wanted = "orders.edit"
        assert rule.permission == (wanted if is_inside else None), address


def test_personal_pages_require_a_login_or_a_signed_link(stage: Stage) -> None:
    for address in stage.app.url_map.iter_rules():
        rule = stage.rule_of(address)
        if address.rule.startswith(OWN) and address.endpoint not in OPEN:
            assert rule in (HOLDER, HOLDER_DATA, SIGNED_LINK), address
        if address.rule.startswith(("/orders/", "/cart/lines/")):
            assert rule in (BUYER, HOLDER, SIGNED_LINK), address
        if rule == SIGNED_LINK:
            assert "token" in address.arguments, address
        if rule == BUYER:
            assert address.arguments, address


def test_a_forged_link_opens_nothing(stage: Stage) -> None:
    """Neither with another character in it, nor cut, nor made for something else."""
    links = {address.endpoint: address for address in stage.addresses("GET") if stage.rule_of(address) == SIGNED_LINK}
    tokens = {endpoint: stage.values_of(address)["token"] for endpoint, address in links.items()}
    with stage.visited_by(Role("ada")) as client:
        for endpoint, address in links.items():
            own = tokens[endpoint]
            middle = len(own) // 2
            other = "b" if own[middle] == "a" else "a"
            forged = {own[:middle] + other + own[middle + 1 :], own[:-4], *tokens.values()} - {own}
            for token in forged:
                path = stage.path_of(address, token=token)
                assert client.get(path).status_code in (404, 410), path


def test_ids_of_other_users_open_nothing(stage: Stage) -> None:
    number = stage.values[""]["profile_id"]
    with stage.visited_by(Role("cleo")) as client:
        for near in range(max(number - 3, 0), number + 4):
            for path in (f"/profiles/{near}", f"/profiles/{near}/delete"):
                assert client.get(path).status_code == 404
                assert client.post(path).status_code == 404
    assert db.session.get(Profile, number) is not None


# --- an endpoint without a tag ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "endpoint"),
    [
        (shop_views.front, "shop.front"),
        (dashboard.dashboard, "tap.dashboard"),
        (tables.AuditView, r"audit\.\w+"),
        (tables.UnusedIndex, "admin.index"),
    ],
)
def test_an_application_with_an_untagged_endpoint_does_not_start(
    base_config: Config, monkeypatch: pytest.MonkeyPatch, view: object, endpoint: str
) -> None:
    monkeypatch.delattr(view, "access")  # type: ignore[arg-type]
    with pytest.raises(AccessError, match=f"^{endpoint} does not say who may open it"):
        create_app(base_config)


def test_an_endpoint_cannot_require_an_unknown_permission() -> None:
    app = Flask("small", static_folder=None)
    app.add_url_rule("/", "start", access("staff:cards.vew")(lambda: "in"))
    with pytest.raises(AccessError, match=r"^start asks for a permission that no role has: cards\.vew\.$"):
        check(app)


@pytest.mark.parametrize("twice", [lambda: access(HOLDER)(access(PUBLIC)(lambda: "in")), lambda: access("everybody")])
def test_an_invalid_access_tag_is_refused(twice: Callable[[], object]) -> None:
    with pytest.raises(AccessError):
        twice()


def test_every_staff_permission_is_used_by_an_endpoint(stage: Stage) -> None:
    asked = {stage.rule_of(address).permission for address in stage.app.url_map.iter_rules()}
    assert set(roles.fixed_roles()["staff"]) == asked - {None}
    assert len(roles.fixed_roles()["staff"]) == len(set(roles.fixed_roles()["staff"]))
