"""Tokens and codes: random strings from an alphabet without similar characters."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_LENGTH = 10


def new_token() -> str:
    """Return a new card token: about 49 bits, public, used in URLs."""
    return "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))


def new_code(length: int) -> str:
    """Return a random code of `length` characters for people to type."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_secret() -> str:
    """Return a new secret for a link: 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def normalize_code(code: str) -> str:
    """Return a typed code in upper case, without spaces and dashes."""
    return "".join(code.split()).replace("-", "").upper()
