"""Two-factor authentication required for staff in the back office."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tapcard.models import User
from tests.auth.two_factor import SET_UP, secret_in_page, totp_code
from tests.conftest import FormClient, login
from tests.pages import form_to

pytestmark = pytest.mark.usefixtures("stopped_clock")


def admin_paths(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield method and path of every page of the back office, including those of Flask-Admin."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?export_type>", "csv", str(rule))
        path = re.sub(r"<(?:\w+:)?\w+>", "1", path)
        if path.startswith("/admin") and "static" not in path:
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield method, path


@pytest.mark.parametrize("who", ["ben", "olu"])
def test_the_back_office_requires_two_factor_where_it_is_configured(
    other_app: Callable[..., Flask], request: pytest.FixtureRequest, who: str
) -> None:
    app = other_app(requires_staff_two_factor=True)
    client: FormClient = app.test_client()  # type: ignore[assignment]
    login(client, request.getfixturevalue(who))
    pages = list(admin_paths(app))
    assert len(pages) > 25
    for method, path in pages:
        response = client.open(path, method=method)
        assert (response.status_code, response.location.partition("?")[0]) == (302, SET_UP), f"{method} {path}"
    assert "The back office requires" in client.get(f"{SET_UP}?next=/admin/").text
    assert client.get("/dashboard").status_code == 200


def test_staff_return_to_the_back_office_after_setup(other_app: Callable[..., Flask], ben: User) -> None:
    client: FormClient = other_app(requires_staff_two_factor=True).test_client()  # type: ignore[assignment]
    login(client, ben)
    path = client.get("/admin/hosts").location
    page = client.get(path).text
    form = form_to(page, path)
    done = client.post(path, data={**form.values, "code": totp_code(secret_in_page(page))})
    assert 'href="/admin/hosts"' in done.text
    for path in ("/admin/", "/admin/hosts", "/admin/tables/cards/"):
        assert client.get(path).status_code == 200


def test_holders_get_no_hint_of_the_back_office(other_app: Callable[..., Flask], ada: User) -> None:
    client: FormClient = other_app(requires_staff_two_factor=True).test_client()  # type: ignore[assignment]
    login(client, ada)
    for path in ("/admin/", "/admin/hosts", "/admin/tables/cards/"):
        assert client.get(path).status_code == 404


def test_staff_need_no_second_factor_where_it_is_optional(client: FormClient, ben: User) -> None:
    login(client, ben)
    assert client.get("/admin/").status_code == 200
