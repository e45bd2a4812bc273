"""Everything derived from the secret key: encryption, keyed hashes, signatures; old keys still open old things."""

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadSignature, Signer

ME_COOKIE = "tc_me"


def _derive(secret: str, purpose: str) -> bytes:
    return hashlib.blake2b(purpose.encode(), key=hashlib.sha256(secret.encode()).digest(), digest_size=32).digest()


class Keys:
    """Keys for each purpose, the newest secret first."""

    def __init__(self, secret: str, fallbacks: Sequence[str] = ()) -> None:
        self._secrets = [secret, *fallbacks]
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(each, "encrypt"))) for each in self._secrets]
        self._fernet = MultiFernet(fernets)
        # itsdangerous wants the newest key last
        self._signer = Signer([_derive(each, ME_COOKIE) for each in reversed(self._secrets)], salt=ME_COOKIE)

    def encrypt(self, text: str) -> str:
        """Seal a short text for a column."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, sealed: str) -> str | None:
        """Open what `encrypt` sealed; None when no key fits any more."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def digest(self, purpose: str, text: str) -> str:
        """A keyed hash to find a text by, 64 hex digits, under the newest key."""
        return self.digests(purpose, text)[0]

    def digests(self, purpose: str, text: str) -> list[str]:
        """The same under every key, newest first."""
        return [
            hashlib.blake2b(text.encode(), key=_derive(each, purpose), digest_size=32).hexdigest()
            for each in self._secrets
        ]

    def sign_me(self, user_id: int) -> str:
        """The value of the cookie that lets the drainer know an owner's own tap."""
        return self._signer.sign(str(user_id)).decode()

    def read_me(self, value: str | None) -> int | None:
        """The user in such a cookie; None when it is forged, cut or absent."""
        if not value:
            return None
        try:
            return int(self._signer.unsign(value))
        except (BadSignature, ValueError):
            return None
