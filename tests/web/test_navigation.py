"""Main menu: entries for each kind of visitor, the current page, and the colour scheme."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tapcard.models import User
from tests.conftest import login


def main_links(page: str) -> list[str]:
    """Return the texts of the links in the wide menu."""
    menu = page.partition('<nav class="wide"')[2].partition("</nav>")[0]
    return [re.sub(r"<[^>]+>", "", words).strip() for words in re.findall(r"<a [^>]*>(.*?)</a>", menu, re.DOTALL)]


def test_a_visitor_sees_the_shop_and_login(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    assert main_links(page) == ["Shop", "Designs", "How it works", "Cart", "Log in", "Sign up"]
    assert "Log out" not in page


def test_a_holder_sees_cards_profiles_and_a_logout_form(client: FlaskClient, ada: User) -> None:
    login(client, ada)
    page = client.get("/").get_data(as_text=True)
    links = main_links(page)
    assert links[:6] == ["My cards", "Profiles", "Statistics", "Leads", "Shop", "Designs"]
    assert links[6:] == ["Cart", "Orders", "Wishlist", "Account"]
    assert re.search(r'<form[^>]*method="post" action="/log-out">', page)
    assert 'href="/log-out"' not in page


def test_staff_see_the_back_office(client: FlaskClient, ben: User) -> None:
    login(client, ben)
    assert "Back office" in main_links(client.get("/").get_data(as_text=True))


def test_the_current_page_is_marked(client: FlaskClient) -> None:
    page = client.get("/designs").get_data(as_text=True)
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', page) == ["/designs", "/designs"]


def test_disabled_modules_are_not_in_the_menu(other_app: Callable[..., Flask], ben: User) -> None:
    client = other_app(modules=("shop",)).test_client()
    login(client, ben)
    assert "Back office" not in client.get("/").get_data(as_text=True)


def test_other_pages_work_without_the_shop(other_app: Callable[..., Flask], ada: User) -> None:
    client = other_app(modules=("admin",)).test_client()
    assert client.get("/").status_code == 404
    assert "Designs" not in client.get("/log-in").get_data(as_text=True)
    login(client, ada)
    page = client.get("/dashboard")
    assert page.status_code == 200
    assert "/find-card" not in page.get_data(as_text=True)


def test_every_page_has_a_link_to_skip_to_the_content(client: FlaskClient) -> None:
    page = client.get("/terms").get_data(as_text=True)
    assert page.index('href="#main"') < page.index("<nav")
    assert '<main id="main"' in page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_server_renders_the_chosen_color_scheme(client: FlaskClient, theme: str) -> None:
    client.set_cookie("tc_theme", theme)
    assert f'data-bs-theme="{theme}"' in client.get("/terms").get_data(as_text=True)


@pytest.mark.parametrize("value", ["", "Dark", 'dark"><script>'])
def test_an_unknown_color_scheme_is_ignored(client: FlaskClient, value: str) -> None:
    client.set_cookie("tc_theme", value)
    page = client.get("/terms").get_data(as_text=True)
    assert "data-bs-theme" not in page.partition(">")[0] + page.partition("<html")[2].partition(">")[0]
    assert "<script>" not in page


def test_a_page_complies_with_its_content_security_policy(client: FlaskClient, ada: User) -> None:
    login(client, ada)
    for path in ("/", "/designs", "/find-card", "/dashboard", "/account", "/profiles"):
        page = client.get(path).get_data(as_text=True)
        assert not re.search(r"<[^>]+\sstyle=", page), path
        assert not re.search(r"<[^>]+\son[a-z]+=", page), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", page), path
        assert not re.search(r'(?:src|srcset)="(?:https?:)?//', page), path
