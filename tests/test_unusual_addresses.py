"""Unusual values in paths and query parameters break no page."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, Request, Response
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.routing import Rule as Address

from tapcard.web import errors
from tapcard.web.access import BUYER
from tests.stage import NOBODY, Role, Stage, arranged
from tests.statements import statements, writes

pytestmark = pytest.mark.fuzz
UNUSUAL = [
    "",
    "0",
    "-1",
    "9" * 30,
    "1.5",
    "text",
    "\0",
    "é",
    "🂡",
    "\u202e",
    "x" * 3000,
    "a b",
    "'\"><",
    "..",
    "a/b",
    "A" * 21,
]
RAW = ["%ff", "%2e%2e%2f", "%0d%0aSet-Cookie:x=y", "%zz"]
UNUSUAL_PARTS = [*(quote(value, safe="/") for value in UNUSUAL), *RAW]
ONLY_IN_PATHS = {"a b", "..", "a/b", "A" * 21}  # ordinary text in query parameters
UNUSUAL_PARAMETERS = (
    *(value for value in UNUSUAL if value not in ONLY_IN_PATHS),
    "//evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
)
COMMON_PARAMETERS = {"page", "next", "card", "token", "id", "sure", "search"}


@pytest.fixture(scope="module")
def stage(application: Flask) -> Iterator[Stage]:
    """Arrange everything that a path can name, once."""
    with arranged(application) as created:
        yield created


@pytest.fixture
def short_error_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace error pages, which are all alike and slow, by a short response."""
    monkeypatch.setattr(errors, "error_page", lambda status, _message: Response("refused", status))


def addresses_for(stage: Stage, who: str, method: str) -> list[Address]:
    """Return the addresses to visit as a user: public ones as nobody, own ones as Ada, the rest as Ben."""
    matching = []
    for address in stage.addresses(method):
        rule = stage.rule_of(address)
        at_home = "ben" if rule.permission is not None else "ada" if rule.needs_login or rule == BUYER else NOBODY
        if at_home == who:
            matching.append(address)
    return matching


def unusual_paths(stage: Stage, address: Address, method: str) -> Iterator[str]:
    """Yield the paths of an address with each part replaced by unusual values, as far as a view matches.

    Paths without a view all get the same page.
    """
    router, values = stage.app.url_map.bind("localhost"), stage.values_of(address)
    template = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address.rule)
    for name in sorted(address.arguments):
        for odd in UNUSUAL_PARTS:
            path = template.format(**{**values, name: odd})
            if matches(router, path, method):
                yield path
    yield template.format(**dict.fromkeys(address.arguments, "text"))


def matches(router: Any, path: str, method: str) -> bool:
    """Return whether a view matches a path."""
    try:
        router.match(path, method)
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


@pytest.mark.usefixtures("short_error_pages")
@pytest.mark.parametrize("who", [NOBODY, "ada", "ben"])
def test_an_unusual_value_in_a_path_breaks_no_page(stage: Stage, who: str) -> None:
    tried = 0
    with stage.visited_by(Role(who)) as client:
        for address in addresses_for(stage, who, "GET"):
            for path in unusual_paths(stage, address, "GET"):
                with client.get(path) as response:
                    assert response.status_code < 500, f"GET {path}"
                tried += 1
    assert tried > 100


@pytest.mark.usefixtures("short_error_pages")
@pytest.mark.parametrize("who", [NOBODY, "ada", "ben"])
def test_posting_to_an_unusual_path_breaks_nothing(stage: Stage, who: str) -> None:
    with stage.visited_by(Role(who)) as client:
        form = {"csrf_token": client.csrf_token()}
        for address in addresses_for(stage, who, "POST"):
            for path in unusual_paths(stage, address, "POST"):
                with statements() as recorded, client.post(path, data=form) as response:
                    assert response.status_code < 500, f"POST {path}"
                if writes(recorded) or not stage.is_as_arranged(Role(who)):
                    stage.put_back()


@pytest.mark.parametrize("path", ["/t/{}", "/q/{}", "/card/{}/", "/activate/{}", "/p/{}", "/profile/slug/{}/"])
def test_an_unusual_card_or_profile_address_has_a_page(stage: Stage, path: str) -> None:
    with stage.visited_by(Role(NOBODY)) as client:
        for odd in UNUSUAL_PARTS:
            with client.get(path.format(odd)) as response:
                assert response.status_code in (301, 308, 404), odd


# --- query parameters -------------------------------------------------------------------------------------------------


class RecordingParameters(ImmutableMultiDict[str, Any]):
    """Query parameters that record the names a view reads."""

    asked: set[str] = set()

    def _note(self, name: object) -> None:
        if isinstance(name, str):
            self.asked.add(name)

    def items(self, multi: bool = False) -> Any:
        self._note("all of them")
        return super().items(multi)

    def lists(self) -> Any:
        self._note("all of them")
        return super().lists()

    def to_dict(self, flat: bool = True) -> Any:
        self._note("all of them")
        return super().to_dict(flat)

    def __getitem__(self, name: Any) -> Any:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(name)
        return super().__contains__(name)

    def get(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        self._note(name)
        return super().get(name, *args, **kwargs)

    def getlist(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        self._note(name)
        return super().getlist(name, *args, **kwargs)


class RecordingRequest(Request):
    """A request with recording query parameters."""

    parameter_storage_class = RecordingParameters


@pytest.mark.parametrize("who", [NOBODY, "ada", "ben"])
def test_unusual_query_parameters_break_no_page(stage: Stage, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """Each page gets the parameters it was seen to read."""
    monkeypatch.setattr(stage.app, "request_class", RecordingRequest)
    tried = 0
    with stage.visited_by(Role(who)) as client:
        for address in addresses_for(stage, who, "GET"):
            path, names = stage.path_of(address).partition("?")[0], COMMON_PARAMETERS
            for odd in UNUSUAL_PARAMETERS:
                RecordingParameters.asked.clear()
                with client.get(path, query_string=dict.fromkeys(names, odd)) as response:
                    assert response.status_code < 500, f"{path} asked {odd!r}"
                    assert "evil.example" not in (response.location or ""), f"{path} asked {odd!r}"
                tried += 1
                names = names | RecordingParameters.asked
                if not RecordingParameters.asked:
                    break  # the page reads no parameters
    assert tried > 100
