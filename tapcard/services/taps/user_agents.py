"""User agents: what kind of device read a card, and whether it was a person at all."""

import re
from dataclasses import dataclass
from functools import lru_cache

import ua_parser

from ...models import Device

LONGEST = 512
# Not by the bare names of apps and phones: Telegram's, Pinterest's, Yandex's and Baidu's own browsers, a Cubot and a
# Tecno Phantom are held by people.
BOTS = re.compile(
    r"(?<!cu)bots?\b|crawl|spider|slurp|preview|scan(ner)?\b|monitor|uptime|lighthouse|headless|phantomjs|puppeteer"
    r"|facebookexternalhit|facebookcatalog|whatsapp/|slack-imgproxy|skypeuripreview|embedly"
    r"|vkshare|viber|line-poker|mastodon|iframely|outbrain|google-|googleother|mediapartners|feedfetcher"
    r"|curl/|wget/|python|aiohttp|httpx|okhttp|java/|go-http|ruby"
    r"|perl|libwww|axios|node-fetch|undici|postman|insomnia|apache-httpclient|http_client|zgrab|masscan|nmap|censys",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Agent:
    """What a user agent tells."""

    device: Device
    os_family: str
    is_bot: bool


@lru_cache(maxsize=4096)
def classify(text: str) -> Agent:
    """Read a user agent; one that says nothing is a bot, as no browser is silent."""
    if not text.strip():
        return Agent(Device.OTHER, "", True)
    if BOTS.search(text):
        return Agent(Device.OTHER, "", True)
    parsed = ua_parser.parse(text)
    os_family = parsed.os.family if parsed.os else ""
    family = parsed.device.family if parsed.device else ""
    if family == "Spider":
        return Agent(Device.OTHER, os_family, True)
    return Agent(_device(text, os_family, family), os_family[:40], False)


def _device(text: str, os_family: str, family: str) -> Device:
    if (
        family == "iPad"
        or "Tablet" in text.replace("Tablet PC", "")
        or (os_family == "Android" and "Mobile" not in text)
    ):
        return Device.TABLET
    if os_family in ("iOS", "Android", "Windows Phone", "KaiOS") or "Mobile" in text:
        return Device.PHONE
    if os_family.startswith(("Windows", "Mac", "Linux", "Ubuntu", "Fedora", "Chrome OS", "FreeBSD", "Debian")):
        return Device.DESKTOP
    return Device.OTHER


@dataclass(frozen=True)
class BrowserName:
    """What people call a browser and what it runs on; empty for what is unknown."""

    browser: str
    system: str
    device: Device


SYSTEMS = {"Mac OS X": "macOS", "iOS": "iPhone"}


def name_browser(text: str) -> BrowserName:
    """Name the browser of a user agent in words for its own user."""
    parsed = ua_parser.parse(text)
    family = parsed.user_agent.family if parsed.user_agent else ""
    browser = family.replace("Mobile iOS", "").replace("Mobile", "").replace("iOS", "").strip()
    os_family, device = (parsed.os.family if parsed.os else ""), (parsed.device.family if parsed.device else "")
    system = device if device in ("iPhone", "iPad") else SYSTEMS.get(os_family, os_family)
    return BrowserName(browser, system, _device(text, os_family, device))
