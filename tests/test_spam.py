"""Spam: links and markup in names and messages."""

import pytest

from tapcard import spam


@pytest.mark.parametrize(
    ("name", "message"),
    [("Ada", '<a href="x">Buy</a>'), ("[url=x]", "Hello"), ("Ada", "www.a.com b.net http://c"), ("<A>", "")],
)
def test_markup_and_many_links_are_spam(name: str, message: str) -> None:
    assert spam.is_spam(name, message)


@pytest.mark.parametrize("message", ["", "See a.com and www.b.org", "1 < 2, ada@a.com, b@b.com, c@c.com"])
def test_a_message_with_a_link_or_two_is_not_spam(message: str) -> None:
    assert not spam.is_spam("Ada", message)


@pytest.mark.parametrize(
    ("name", "is_link", "is_link_or_email"),
    [("Ada Lind", False, False), ("Dr. J. Net", False, False), ("buy.shop", True, False), ("WWW.x", True, True),
     ("https://x", True, True), ("ada@example.com", False, True), ("<b>", False, True)],
)  # fmt: skip
def test_links_in_names_are_found(name: str, is_link: bool, is_link_or_email: bool) -> None:
    assert (spam.has_link(name), spam.has_link_or_email(name)) == (is_link, is_link_or_email)
