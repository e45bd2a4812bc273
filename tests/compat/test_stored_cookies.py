"""Cookies and open forms of the previous version keep working."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Enquiry
from tapcard.tap import profile_forms
from tapcard.web import pictures
from tests.compat.stored_data import BEFORE, ORDERS, USERS, Clock, is_logged_in, set_clock, user
from tests.conftest import FormClient, login

pytestmark = pytest.mark.sql


def test_a_remembered_session_stays_valid(app: Flask, browser: Callable[[str], FormClient]) -> None:
    """A remembered session lasts 60 days."""
    set_clock(timedelta(days=59))
    holder = browser("holder")
    page = holder.get("/dashboard")
    assert page.status_code == 200
    assert "ADASCARD" in page.text
    set_clock(timedelta(days=59 + 59))  # counted from the last visit
    assert is_logged_in(holder)


def test_an_ordinary_session_ends_after_twelve_hours(browser: Callable[[str], FormClient]) -> None:
    """Staff did not tick the box: after 12 hours they have to log in."""
    staff = browser("staff")
    set_clock(timedelta(hours=13))
    assert not is_logged_in(staff)


def test_the_own_taps_cookie_is_valid(app: Flask, keys: Keys) -> None:
    """The signed cookie still identifies its user."""
    assert keys.unsign_me(BEFORE["cookies"]["holder"]["tc_me"]) == USERS["ada"]
    assert keys.unsign_me(BEFORE["cookies"]["staff"]["tc_me"]) == USERS["ben"]


def test_a_form_of_the_previous_version_can_be_submitted(app: Flask, browser: Callable[[str], FormClient]) -> None:
    """A form opened before the upgrade can be submitted."""
    data = {"csrf_token": BEFORE["csrf_token"]}
    assert browser("holder").post("/wishlist/add/moorland-journal", data=data).status_code == 302
    assert browser("holder").post("/wishlist/add/moorland-journal", data={"csrf_token": "x"}).status_code == 400


def test_a_stamped_form_of_the_previous_version_can_be_submitted(app: Flask, client: FormClient) -> None:
    """A contact form with a signed time can be submitted."""
    values = {"name": "Zoe", "email": "zoe@example.com", "message": "Do you engrave?", "stamp": BEFORE["contact_stamp"]}
    assert client.post("/contact", data=values).status_code == 302
    assert db.session.scalar(sa.select(Enquiry.message).where(Enquiry.email == "zoe@example.com")) == "Do you engrave?"


def test_pictures_kept_in_forms_are_valid_for_twelve_hours(app: Flask, keys: Keys) -> None:
    """Forms with a signed picture can be submitted for twelve hours."""
    tokens, photo = BEFORE["form_tokens"], BEFORE["photo"]
    assert keys.unsign(pictures.TOKEN_PURPOSE, tokens["kept-picture"], pictures.TOKEN_LIFETIME) == ["a browser", photo]
    age = profile_forms.PICTURE_TOKEN_LIFETIME
    assert keys.unsign("profile-photo", tokens["profile-photo"], age) == [USERS["ada"], photo]
    set_clock(timedelta(hours=13))
    assert keys.unsign("profile-photo", tokens["profile-photo"], age) is None


def test_a_guest_keeps_their_cart(browser: Callable[[str], FormClient]) -> None:
    """A guest finds their cart with prices in the chosen currency and keeps it after login."""
    guest = browser("guest")
    assert quantities(guest.get("/cart").text) == ["3"]
    assert "€" in guest.get("/products/emaille-bottle").text
    login(guest, user("hal"))
    assert quantities(guest.get("/cart").text) == ["3"]


def test_a_user_keeps_their_cart(browser: Callable[[str], FormClient]) -> None:
    """A logged-in user finds their cart."""
    assert quantities(browser("holder").get("/cart").text) == ["2", "2"]


def quantities(page: str) -> list[str]:
    """Return the quantities on a cart page."""
    fields = re.findall(r"<input[^>]*name=\"quantity\"[^>]*>", page)
    return [value for field in fields for value in re.findall(r"value=\"(\d+)\"", field)]


def test_a_guest_can_open_their_order_again(client: FormClient, browser: Callable[[str], FormClient]) -> None:
    """Only the client that opened the link to an order can open the order again."""
    path = f"/orders/{ORDERS['delivered']}"
    assert browser("buyer").get(path).status_code == 200
    assert client.get(path).status_code != 200


def test_a_pending_login_continues_with_a_code(browser: Callable[[str], FormClient]) -> None:
    """A user who had entered the password can continue with a code."""
    eve = browser("half_way")
    assert not is_logged_in(eve)
    code = pyotp.TOTP(BEFORE["two_factor"]["secret"]).at(Clock.present)
    assert eve.post("/log-in/code", data={"code": code}).status_code == 302
    assert is_logged_in(eve)


def test_a_pending_login_continues_with_a_recovery_code(browser: Callable[[str], FormClient]) -> None:
    """A user who had entered the password can continue with a recovery code, once."""
    code = BEFORE["two_factor"]["recovery_codes"][0]
    eve, second = browser("half_way"), browser("half_way")
    assert eve.post("/log-in/code", data={"code": code}).status_code == 302
    assert is_logged_in(eve)
    login(second, user("eve"))
    second.post("/log-in/code", data={"code": code})
    assert not is_logged_in(second)


def test_a_pending_reopening_can_be_finished(browser: Callable[[str], FormClient]) -> None:
    """A user who had logged in to a closed account can reopen it."""
    ivy = browser("outside")
    assert ivy.get("/account/reopen").status_code == 200
    assert ivy.post("/account/reopen").status_code == 302
    assert is_logged_in(ivy)
    assert user("ivy").is_active
