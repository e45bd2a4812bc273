"""Email addresses: normal form and invalid ones."""

import pytest

from tapcard import email_addresses
from tapcard.email_addresses import InvalidEmail


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM \n", "ada@example.com"),
        ("ada+cards@example.com", "ada+cards@example.com"),
        ("ada@m\u00fcller.example.com", "ada@m\u00fcller.example.com"),
        ("ada@mu\u0308ller.example.com", "ada@m\u00fcller.example.com"),
        ("ada@XN--MLLER-KVA.example.com", "ada@m\u00fcller.example.com"),
    ],
)
def test_an_address_is_normalized(text: str, stored: str) -> None:
    assert email_addresses.normalize(text) == stored


@pytest.mark.parametrize(
    "text",
    ["", "ada", "@example.com", "ada@", "ada@localhost", "ada@example", "a b@example.com", "ada@example.com,b@c.com",
     "ada@exa\x00mple.com", "ada\r\nBcc: x@example.com", "<ada@example.com>", "ada@[127.0.0.1]", "\u00e4da@example.com",
     "a" * 65 + "@example.com", "ada@" + "a." * 130 + "com"],
)  # fmt: skip
def test_an_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidEmail) as refusal:
        email_addresses.normalize(text)
    assert refusal.value.field == "email"
