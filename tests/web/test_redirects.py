"""Safe redirects: `next` may only be a plain path of this site."""

from urllib.parse import quote, urljoin, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tapcard.models import User
from tapcard.web.redirects import safe_next
from tests.conftest import FormClient, login

SITE = "https://shop.example"

SAFE = [
    "/",
    "/dashboard",
    "/activate/7KQ4M2XPAB",
    "/admin/cards/register?token=ABC",
    "/cards/ABC?tab=history&page=2",
    "/dashboard?q=a%20b",
    "/search?url=https://example.com/",
    "/p/caf%C3%A9",
]

UNSAFE = [
    "",
    " ",
    "dashboard",
    "https://evil.example/",
    "http:evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "/\x00/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\u00a0/evil.example",
    "/\u200b/evil.example",
    "/\u2028/evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%00/evil.example",
    "/%5cevil.example",
    "/%5c%5cevil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/%252fevil.example",
    "/%25252fevil.example",
    "/%25252525252fevil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "/%2e%2f/evil.example",
    "/\uff0fevil.example",
    "/\uff3cevil.example",
    "/%ef%bc%8fevil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "mailto:a@example.com",
    "/x\r\nSet-Cookie: a=b",
    "/x%0d%0aSet-Cookie:%20a=b",
    "/" + "a" * 2000,
    "/\ud800",
]


@pytest.mark.parametrize("path", SAFE)
def test_a_plain_path_is_kept(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize("path", UNSAFE)
def test_anything_else_is_refused(path: str) -> None:
    assert safe_next(path) is None


def test_a_missing_next_is_none() -> None:
    assert safe_next(None) is None


def arrives_at(location: str) -> tuple[str, str]:
    """Return scheme and host that a browser ends at: it drops tabs and line ends, and reads a backslash as a slash."""
    seen = "".join(character for character in location if character not in "\t\r\n").strip().replace("\\", "/")
    return urlsplit(urljoin(SITE + "/log-in", seen))[:2]


# characters and fragments that are used to disguise paths
pieces = st.sampled_from(
    ["/", "//", "\\", "%2f", "%5c", "%09", "%0a", "\t", "\n", "\r", "\x00", " ", ".", "..", "@", ":", "?", "#", ";",
     "evil.example", "https:", "javascript:", "%25", "\uff0f", "\u2028", "\u200b", "a", "é"]
)  # fmt: skip
smuggled = st.lists(pieces, max_size=8).map("".join)


@given(path=smuggled.map(lambda rest: "/" + rest) | smuggled | st.text(max_size=40))
@example(path="/%09/evil.example")
@settings(max_examples=400, deadline=None)
def test_an_accepted_path_stays_on_this_site_however_it_is_decoded(path: str) -> None:
    accepted = safe_next(path)
    if accepted is not None:
        assert arrives_at(accepted) == ("https", "shop.example")
        assert arrives_at(quote(accepted, safe="/?#%&=;:@")) == ("https", "shop.example")


@pytest.mark.parametrize("how", ["query", "form"])
@pytest.mark.parametrize("path", [path for path in UNSAFE if "\ud800" not in path])  # that no browser can send
def test_login_never_redirects_to_another_site(client: FormClient, ada: User, path: str, how: str) -> None:
    fields = {"email": ada.email, "password": "correct horse battery"}
    if how == "query":
        response = client.post("/log-in", data=fields, query_string={"next": path})
    else:
        response = client.post("/log-in", data={**fields, "next": path})
    assert response.status_code == 302
    assert response.headers["Location"] == "/dashboard"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=smuggled.map(lambda rest: "/" + rest))
def test_no_value_of_next_redirects_to_another_site(app: Flask, client: FormClient, ada: User, path: str) -> None:
    if client.get_cookie("tc_session") is None:
        login(client, ada)
    response = client.get("/log-in", query_string={"next": path})
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/")
    assert arrives_at(response.headers["Location"]) == ("https", "shop.example")


@pytest.mark.parametrize("path", SAFE)
def test_login_redirects_to_a_plain_path(client: FormClient, ada: User, path: str) -> None:
    fields = {"email": ada.email, "password": "correct horse battery"}
    response = client.post("/log-in", data=fields, query_string={"next": path})
    assert response.headers["Location"] == path
