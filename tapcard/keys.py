"""Encryption, keyed hashes and signatures under the secret key; former keys still decrypt and verify."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadData, Signer, URLSafeSerializer, URLSafeTimedSerializer

ME_COOKIE = "tc_me"


def _derive(secret: str, purpose: str) -> bytes:
    return hashlib.blake2b(purpose.encode(), key=hashlib.sha256(secret.encode()).digest(), digest_size=32).digest()


class Keys:
    """Keys for each purpose, derived from the secrets of the installation, the newest first."""

    def __init__(self, secret: str, fallbacks: Sequence[str] = ()) -> None:
        self._secrets = [secret, *fallbacks]
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(key_secret, "encrypt"))) for key_secret in self._secrets]
        self._fernet = MultiFernet(fernets)
        # itsdangerous takes the newest key last
        self._signing_secrets = [*reversed(self._secrets)]
        self._me_signer = Signer(
            [_derive(key_secret, ME_COOKIE) for key_secret in self._signing_secrets], salt=ME_COOKIE
        )

    def encrypt(self, text: str) -> str:
        """Return a short text encrypted for a column."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, encrypted: str) -> str | None:
        """Return the text that `encrypt` encrypted, or None if no key fits."""
        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken:
            return None

    def digest(self, purpose: str, text: str) -> str:
        """Return a keyed hash to look a text up by: 64 hex digits, under the newest key."""
        return self.digests(purpose, text)[0]

    def digests(self, purpose: str, text: str) -> list[str]:
        """Return the keyed hash of a text under every key, the newest first."""
        return [
            hashlib.blake2b(text.encode(), key=_derive(secret, purpose), digest_size=32).hexdigest()
            for secret in self._secrets
        ]

    # --- signatures ---------------------------------------------------------------------------------------------------

    def sign(self, purpose: str, value: Any) -> str:
        """Return a URL-safe token of a JSON value, signed for a purpose, with the time of signing."""
        return str(URLSafeTimedSerializer(self._signing_secrets, salt=purpose).dumps(value))

    def unsign(self, purpose: str, token: object, max_age: timedelta | None = None) -> Any:
        """Return the value of a token of `sign`, or None if it is forged, of another purpose or older than `max_age`.

        Without `max_age`, tokens without a time are valid too, as forms carried before there was one signer.
        """
        text = token if isinstance(token, str) else ""
        seconds = int(max_age.total_seconds()) if max_age is not None else None
        try:
            return URLSafeTimedSerializer(self._signing_secrets, salt=purpose).loads(text, max_age=seconds)
        except BadData:
            if max_age is not None:
                return None
        try:
            return URLSafeSerializer(self._signing_secrets, salt=purpose).loads(text)
        except BadData:
            return None

    def sign_link(self, purpose: str, reference: str, text: str | None = None) -> str:
        """Return the token of an emailed link that never expires: a reference in plain text and a keyed hash.

        The hash is of `text`, by default the reference itself: the link is void as soon as that text changes.
        """
        return f"{reference}-{self.digest(purpose, reference if text is None else text)}"

    def verify_link(self, purpose: str, digest: str, text: str) -> bool:
        """Return whether the hash of a link, as `split_link` returns it, is of this text under any key."""
        return digest.isascii() and any(
            hmac.compare_digest(digest, expected) for expected in self.digests(purpose, text)
        )

    def sign_me(self, user_id: int) -> str:
        """Return the value of the cookie by which the recorder recognizes a holder's own taps.

        Browsers keep it for a year, so its format is older than `sign`.
        """
        return self._me_signer.sign(str(user_id)).decode()

    def unsign_me(self, value: str | None) -> int | None:
        """Return the user id in such a cookie, or None if it is forged, truncated or absent."""
        if not value:
            return None
        try:
            return int(self._me_signer.unsign(value))
        except (BadData, ValueError):
            return None


def split_link(token: str) -> tuple[str, str]:
    """Return the reference and the keyed hash of a link's token, neither of them verified."""
    reference, _dash, digest = token.rpartition("-")
    return reference, digest
