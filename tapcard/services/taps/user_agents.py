"""Classification of user agents: device, operating system, and bots."""

import re
from dataclasses import dataclass
from functools import lru_cache

import ua_parser

from ...models import Device

MAX_LENGTH = 512
# Without the bare names of apps and phones: people use the in-app browsers of Telegram, Pinterest, Yandex and Baidu,
# and the phones Cubot and Tecno Phantom.
BOT_PATTERN = re.compile(
    r"(?<!cu)bots?\b|crawl|spider|slurp|preview|scan(ner)?\b|monitor|uptime|lighthouse|headless|phantomjs|puppeteer"
    r"|facebookexternalhit|facebookcatalog|whatsapp/|slack-imgproxy|skypeuripreview|embedly"
    r"|vkshare|viber|line-poker|mastodon|iframely|outbrain|google-|googleother|mediapartners|feedfetcher"
    r"|curl/|wget/|python|aiohttp|httpx|okhttp|java/|go-http|ruby"
    r"|perl|libwww|axios|node-fetch|undici|postman|insomnia|apache-httpclient|http_client|zgrab|masscan|nmap|censys",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ParsedUserAgent:
    """Device, operating system and kind of a user agent."""

    device: Device
    os_family: str
    is_bot: bool


@lru_cache(maxsize=4096)
def classify(text: str) -> ParsedUserAgent:
    """Classify a user agent; an empty one is a bot, because every browser sends one."""
    if not text.strip():
        return ParsedUserAgent(Device.OTHER, "", True)
    if BOT_PATTERN.search(text):
        return ParsedUserAgent(Device.OTHER, "", True)
    parsed = ua_parser.parse(text)
    os_family = parsed.os.family if parsed.os else ""
    family = parsed.device.family if parsed.device else ""
    if family == "Spider":
        return ParsedUserAgent(Device.OTHER, os_family, True)
    return ParsedUserAgent(_device(text, os_family, family), os_family[:40], False)


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
    """Display names of a browser and its system; empty if unknown."""

    browser: str
    system: str
    device: Device


SYSTEM_NAMES = {"Mac OS X": "macOS", "iOS": "iPhone"}


def name_browser(text: str) -> BrowserName:
    """Return the display names of a user agent, for a list of sessions."""
    parsed = ua_parser.parse(text)
    family = parsed.user_agent.family if parsed.user_agent else ""
    browser = family.replace("Mobile iOS", "").replace("Mobile", "").replace("iOS", "").strip()
    os_family, device = (parsed.os.family if parsed.os else ""), (parsed.device.family if parsed.device else "")
    system = device if device in ("iPhone", "iPad") else SYSTEM_NAMES.get(os_family, os_family)
    return BrowserName(browser, system, _device(text, os_family, device))
