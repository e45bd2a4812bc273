"""Set up two-factor authentication in a browser, and compute its codes."""

import re
from collections.abc import Callable
from html import unescape

import pyotp

from tapcard.clock import utcnow
from tests.conftest import FormClient
from tests.watching import form_to

NEW = "battery staple correct"
SET_UP = "/account/two-factor/set-up"
CODE_PAGE = "/log-in/code"
WRONG = "That code isn't valid."
SOME_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows now, or some steps later."""
    return pyotp.TOTP(secret).generate_otp(int(utcnow().timestamp()) // 30 + steps)


def wrong_code(secret: str) -> str:
    """Six digits that the app shows neither now nor around now."""
    near = {code_of(secret, steps) for steps in range(-3, 4)}
    return next(code for number in range(10) if (code := f"{number:06}") not in near)


def secret_on(page: str) -> str:
    """The secret in the address that the page offers to an app."""
    found = re.search(r"otpauth://[^\"]*?secret=([A-Z2-7]+)", unescape(page))
    assert found is not None
    return found[1]


def set_up(client: FormClient) -> tuple[str, list[str]]:
    """Switch it on in a browser; gives secret and recovery codes. The present step's code is used up."""
    page = client.get(SET_UP).text
    secret, form = secret_on(page), form_to(page, SET_UP)
    answer = client.post(SET_UP, data={**form.values, "code": code_of(secret)})
    assert answer.status_code == 200, answer.text
    return secret, re.findall(r"<li><code>([\w-]+)</code>", answer.text)


def kinds(outbox: Callable[[], list[str]]) -> list[str]:
    return [kind for kind in outbox() if "two_factor" in kind or "recovery" in kind]
