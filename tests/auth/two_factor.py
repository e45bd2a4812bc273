"""Set up two-factor authentication in a browser, and compute its codes."""

import re
from collections.abc import Callable
from html import unescape

import pyotp

from tapcard.clock import utcnow
from tests.conftest import FormClient
from tests.pages import form_to

NEW = "battery staple correct"
SET_UP = "/account/two-factor/set-up"
CODE_PAGE = "/log-in/code"
WRONG = "That code isn't valid."
SOME_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def totp_code(secret: str, steps: int = 0) -> str:
    """Return the code of the current time step, or of one some steps later."""
    return pyotp.TOTP(secret).generate_otp(int(utcnow().timestamp()) // 30 + steps)


def wrong_code(secret: str) -> str:
    """Return six digits that are not the code of any time step near the current one."""
    near = {totp_code(secret, steps) for steps in range(-3, 4)}
    return next(code for number in range(10) if (code := f"{number:06}") not in near)


def secret_in_page(page: str) -> str:
    """Return the secret in the `otpauth` address on a page."""
    match = re.search(r"otpauth://[^\"]*?secret=([A-Z2-7]+)", unescape(page))
    assert match is not None
    return match[1]


def set_up_two_factor(client: FormClient) -> tuple[str, list[str]]:
    """Set up two-factor authentication; return secret and recovery codes. Uses the code of the current time step."""
    page = client.get(SET_UP).text
    secret, form = secret_in_page(page), form_to(page, SET_UP)
    response = client.post(SET_UP, data={**form.values, "code": totp_code(secret)})
    assert response.status_code == 200, response.text
    return secret, re.findall(r"<li><code>([\w-]+)</code>", response.text)


def two_factor_kinds(outbox: Callable[[], list[str]]) -> list[str]:
    return [kind for kind in outbox() if "two_factor" in kind or "recovery" in kind]
