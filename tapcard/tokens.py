"""Tokens and codes: unguessable strings of an alphabet that is hard to misread."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_LENGTH = 10
CODE_LENGTH = 8


def new_token() -> str:
    """A card's token: about 49 bits, public, for a URL."""
    return "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))


def new_code() -> str:
    """A claim code: 8 characters that people type."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def new_secret() -> str:
    """A token for a link that proves something: 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def clean_code(typed: str) -> str:
    """What somebody meant when typing a code: case, spaces and dashes do not matter."""
    return "".join(typed.split()).replace("-", "").upper()
