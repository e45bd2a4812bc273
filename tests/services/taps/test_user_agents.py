"""Classifying user agents by device, system and bot."""

import pytest

from tapcard.models import Device
from tapcard.services.taps.user_agents import ParsedUserAgent, classify

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT}"
ANDROID = "Mozilla/5.0 (Linux; Android 14; {})"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
OLD_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1"
NEXUS = f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {BLINK} Chrome/130.0 Mobile Safari/537.36"

PEOPLE = [
    (f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1", Device.PHONE, "iOS"),
    (f"{IPHONE} CriOS/130.0.6723.90 Mobile/15E148 Safari/604.1", Device.PHONE, "iOS"),
    (f"{IPHONE} Mobile/15E148 Instagram 350.0.0.31.113 (iPhone14,5; iOS 18_0; en_GB)", Device.PHONE, "iOS"),
    (f"{IPHONE} Mobile/22A3354 [FBAN/FBIOS;FBAV/486.0.0.66.70;FBDV/iPhone14,5]", Device.PHONE, "iOS"),
    (f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.29.8962", Device.PHONE, "iOS"),
    (f"{IPHONE} Mobile/15E148 [Pinterest/iOS]", Device.PHONE, "iOS"),
    (f"Mozilla/5.0 (Linux; Android 10; K) {BLINK} Chrome/130.0.0.0 Mobile Safari/537.36", Device.PHONE, "Android"),
    (
        f"{ANDROID.format('SM-S918B')} {BLINK} SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
        Device.PHONE,
        "Android",
    ),
    (
        f"{ANDROID.format('SM-A546B; wv')} {BLINK} Chrome/129.0.0.0 Mobile Safari/537.36 Telegram-Android/11.2.3",
        Device.PHONE,
        "Android",
    ),
    (f"{ANDROID.format('CPH2399')} {BLINK} Chrome/114.0 Mobile Safari/537.36 YandexSearch/24", Device.PHONE, "Android"),
    (f"{ANDROID.format('HLK-AL00')} {BLINK} Chrome/76.0 Mobile Safari/537.36 baiduboxapp/13", Device.PHONE, "Android"),
    (f"{ANDROID.format('CUBOT X19')} {BLINK} Chrome/80.0 Mobile Safari/537.36", Device.PHONE, "Android"),
    (f"{ANDROID.format('TECNO PHANTOM6')} {BLINK} Chrome/80.0 Mobile Safari/537.36", Device.PHONE, "Android"),
    ("Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", Device.PHONE, "Android"),
    ("Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", Device.PHONE, "KaiOS"),
    ("Mozilla/5.0 (Android 14; Tablet; rv:132.0) Gecko/132.0 Firefox/132.0", Device.TABLET, "Android"),
    (f"{ANDROID.format('SM-X200')} {BLINK} Chrome/130.0.0.0 Safari/537.36", Device.TABLET, "Android"),
    (f"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) {WEBKIT} Version/17.6 Safari/604.1", Device.TABLET, "iOS"),
    (f"{WINDOWS} {BLINK} Chrome/130.0 Safari/537.36 Edg/130.0", Device.DESKTOP, "Windows"),
    ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; Tablet PC 2.0; rv:11.0) like Gecko", Device.DESKTOP, "Windows"),
    (f"{MAC} {WEBKIT} Version/17.6 Safari/605.1.15", Device.DESKTOP, "Mac OS X"),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", Device.DESKTOP, "Ubuntu"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Chrome/130.0.0.0 Safari/537.36", Device.DESKTOP, "Chrome OS"),
]

MACHINES = [
    # link previews of messengers and social networks
    "WhatsApp/2.24.20.89 A",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitterbot/1.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
    "Pinterest/0.2 (+https://www.pinterest.com/bot.html)",
    f"{OLD_MAC} Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",  # iMessage
    # search engines, monitors, libraries
    f"{NEXUS} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} HeadlessChrome/130.0.0.0 Safari/537.36",
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    # every browser sends a user agent
    "",
    "   ",
]


@pytest.mark.parametrize(("text", "device", "os_family"), PEOPLE)
def test_a_browser_is_classified_by_device_and_system(text: str, device: Device, os_family: str) -> None:
    assert classify(text) == ParsedUserAgent(device, os_family, is_bot=False)


@pytest.mark.parametrize("text", MACHINES)
def test_a_bot_is_recognized(text: str) -> None:
    parsed = classify(text)
    assert (parsed.is_bot, parsed.device) == (True, Device.OTHER)


@pytest.mark.parametrize("text", ["-", "?", "é" * 100, "(" * 512, "Mozilla/5.0 (" + "x; " * 160, "\x01", "🤷"])
def test_a_meaningless_user_agent_is_classified(text: str) -> None:
    parsed = classify(text)
    assert (parsed.device, len(parsed.os_family) <= 40) == (Device.OTHER, True)
