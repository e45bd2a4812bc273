"""Target addresses of cards: normal form and refused ones."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.utils import redirect

from tapcard.services.cards import target_urls
from tapcard.services.cards.target_urls import InvalidUrl, clean

OWN = ("cards.example.net", "127.0.0.1:8000")


def location(url: str) -> str:
    """Return the `Location` header that a client receives."""
    return redirect(url).get_wsgi_headers({"REQUEST_METHOD": "GET"})["Location"]


GOOD = [
    ("https://example.com", "https://example.com", "example.com"),
    ("example.com", "https://example.com", "example.com"),
    ("  example.com/a?b=c#d \n", "https://example.com/a?b=c#d", "example.com"),
    ("\ufeffhttps://example.com", "https://example.com", "example.com"),
    ("HTTP://Example.COM/Path", "http://example.com/Path", "example.com"),
    ("//example.com/x", "https://example.com/x", "example.com"),
    ("example.com:8080", "https://example.com:8080", "example.com"),
    ("example.com:8080/x", "https://example.com:8080/x", "example.com"),
    ("https://example.com:443/", "https://example.com:443/", "example.com"),
    ("https://example.com:0080/", "https://example.com:80/", "example.com"),
    ("https://example.com:/x", "https://example.com/x", "example.com"),
    ("https://example.com./x", "https://example.com/x", "example.com"),
    ("https://example.com/?", "https://example.com/", "example.com"),
    ("https://example.com/#", "https://example.com/", "example.com"),
    (
        "https://bücher.example/ä?ö=ü#ß",
        "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC#%C3%9F",
        "xn--bcher-kva.example",
    ),
    ("BÜCHER.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("例え.jp", "https://xn--r8jz45g.jp", "xn--r8jz45g.jp"),
    ("ｅｘａｍｐｌｅ。com", "https://example.com", "example.com"),
    (
        "https://fa.wikipedia.org/wiki/می‌خواهم",
        "https://fa.wikipedia.org/wiki/%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8%A7%D9%87%D9%85",
        "fa.wikipedia.org",
    ),
    ("https://example.com/100%/%2f%C3%A4", "https://example.com/100%25/%2f%C3%A4", "example.com"),
    ("https://example.com/a;b=c,d:e@f!$&'()*+~", "https://example.com/a;b=c,d:e@f!$&'()*+~", "example.com"),
    ('https://example.com/?a[]=<1>|"', "https://example.com/?a%5B%5D=%3C1%3E%7C%22", "example.com"),
    (
        "https://example.com/?next=https://other.example/a?b",
        "https://example.com/?next=https://other.example/a?b",
        "example.com",
    ),
    ("https://example.com//a/../b", "https://example.com//a/../b", "example.com"),
    ("https://r3---sn-abc.example.com/", "https://r3---sn-abc.example.com/", "r3---sn-abc.example.com"),
    ("https://my_site.example.com/", "https://my_site.example.com/", "my_site.example.com"),
    ("http://192.0.2.7:81/x", "http://192.0.2.7:81/x", "192.0.2.7"),
    ("192.0.2.7", "https://192.0.2.7", "192.0.2.7"),
    ("http://[2001:DB8::0:1]:8080/x", "http://[2001:db8::1]:8080/x", "2001:db8::1"),
    ("[2001:db8::1]/x", "https://[2001:db8::1]/x", "2001:db8::1"),
    ("https://cards.example.net/p/ada", "https://cards.example.net/p/ada", "cards.example.net"),
    ("https://other.example/t/DEMOURL", "https://other.example/t/DEMOURL", "other.example"),
    ("MailTo:Ada@Example.com", "mailto:Ada@example.com", None),
    ("mailto:ada+cards@example.com", "mailto:ada+cards@example.com", None),
    ("mailto:ada@bücher.example", "mailto:ada@xn--bcher-kva.example", None),
    ("mailto:a%26b@example.com", "mailto:a%26b@example.com", None),
    (
        "mailto:ada@example.com?Subject=Hello Ada&body=One%0ATwo&cc=ben@example.com",
        "mailto:ada@example.com?subject=Hello%20Ada&body=One%0D%0ATwo&cc=ben@example.com",
        None,
    ),
    ("tel:+44 (20) 7946-0000", "tel:+442079460000", None),
    ("tel:+44%2020%207946%200000", "tel:+442079460000", None),
    ("TEL:020 7946 0000", "tel:02079460000", None),
    ("tel://+442079460000", "tel:+442079460000", None),
    ("sms:+2348035550142?body=Hi Ada", "sms:+2348035550142?body=Hi%20Ada", None),
]


@pytest.mark.parametrize(("text", "url", "host"), GOOD)
def test_a_valid_address_is_converted_to_its_normal_form(text, url, host):
    link = clean(text, OWN)
    assert (link.url, link.host) == (url, host)
    assert clean(link.url, OWN) == link
    assert location(link.url) == link.url
    assert target_urls.host_of(link.url) == host


SCRIPTS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "\tjavascript:alert(1)",
    "\x00javascript:alert(1)",
    "\x01javascript:alert(1)",
    "\x1fjavascript:alert(1)",
    "\u200bjavascript:alert(1)",
    "\ufeffjavascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java\r\nscript:alert(1)",
    "java\x00script:alert(1)",
    "java\u00adscript:alert(1)",
    "java\u200dscript:alert(1)",
    "javascript\t:alert(1)",
    "javascript :alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "&#106;avascript:alert(1)",
    "javascript%3Aalert(1)",
    "%6Aavascript:alert(1)",
    "javascript%253Aalert(1)",
    "ｊａｖａｓｃｒｉｐｔ:alert(1)",
    "ｊａｖａｓｃｒｉｐｔ：alert(1)",
    "javascript：alert(1)",
    "javascript\u2236alert(1)",
    "jаvascript:alert(1)",  # a Cyrillic а
    "java\\script:alert(1)",
    "javascript://example.com/%0aalert(1)",
    "javascript:1",
    "javascript:8080/x",
    "vbscript:msgbox(1)",
    "livescript:x",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "DATA:,x",
    "blob:https://example.com/1",
    "file:///etc/passwd",
    "file://example.com/x",
    "filesystem:https://example.com/x",
    "view-source:https://example.com",
    "about:blank",
    "ftp://example.com",
    "ws://example.com",
    "intent://example.com#Intent;scheme=https;end",
    "market://details?id=x",
    "chrome://settings",
    "jar:https://example.com!/x",
    "feed:https://example.com",
    "smsto:+442079460000",
    "facetime:ada@example.com",
    "geo:1,2",
    "urn:isbn:1",
    "x-apple.systempreferences:x",
    "web+tapcard:x",
]


@pytest.mark.parametrize("text", SCRIPTS)
def test_other_schemes_are_refused_in_any_spelling(text):
    with pytest.raises(InvalidUrl) as refusal:
        clean(text, OWN)
    assert refusal.value.field == "reroute_url"


BAD = [
    "",
    "   ",
    "\n",
    "hello",
    "hello/world",
    "localhost",
    "localhost:8000",
    "http://localhost/x",
    "http://intranet/x",
    "/dashboard",
    "?x=1",
    "#x",
    "///example.com",
    "http:",
    "http:/",
    "http://",
    "https:///example.com",
    "https:example.com",
    "https:/example.com",
    "https:\\\\example.com",
    "https:/\\example.com",
    "https://\\example.com",
    "https://example.com\\@evil.example",
    "https://example.com/a\\b",
    "https://?x",
    "https://#x",
    "https://:80/",
    "https://.example.com",
    "https://example..com",
    "https://example.com..",
    "https://.",
    "https://..",
    "https://-a.example.com",
    "https://a-.example.com",
    "https://exa mple.com",
    "https://example.com/a b",
    "https://example.com/a\u00a0b",
    "https://example.com/a\u3000b",
    "https://exa\tmple.com",
    "https://example.com/\r\nSet-Cookie: x=1",
    "https://example.com/\u2028x",
    "https://example.com/\x7f",
    "https://example.com/\x85x",
    "https://example.com/\u202egnp.exe",
    "https://example.com/\ud800",
    "https://user@example.com",
    "https://user:pass@example.com/",
    "https://@example.com/",
    "https://:@example.com/",
    "https://cards.example.net@evil.example/",
    "https://user%40example.com/",
    "https://exam%70le.com/",
    "https://exa<mple.com/",
    "https://exa'mple.com/",
    "https://exa*mple.com/",
    "https://exa,mple.com/",
    "https://exam_ple!.com/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:+80/",
    "https://example.com:8a/",
    "https://example.com:８０/",
    "https://example.com:80:80/",
    "https://127.1/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.256/",
    "https://1.2.3.4.5/",
    "https://2130706433/",
    "https://example.0x10/",
    "https://example.5/",
    "https://１２７.1/",
    "https://[::1",
    "https://::1/",
    "https://[]/",
    "https://[::g]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[v1.x]/",
    "https://[::1]x/",
    "https://[::1]:x/",
    "https://xn--.com\u0301/",
    "https://\u0301a.com/",
    "https://ab\u2044cd.com/",
    "https://ex\u2100ample.com/",
    "https://" + "a" * 64 + ".com/",
    "https://" + "ä" * 70 + ".com/",
    "https://" + "a." * 127 + "com/",
    "https://" + "ä." * 2000 + "com/",
    "https://example.com/" + "a" * 1981,
    "https://example.com/" + "ä" * 400,
    "a" * 5000,
    "ada@example.com",
    "+44 20 7946 0000",
    "020 7946 0000",
    "mailto:",
    "mailto:ada",
    "mailto:@example.com",
    "mailto:ada@",
    "mailto:ada@localhost",
    "mailto:ada@example.com,ben@example.com",
    "mailto:ada@example.com;ben@example.com",
    "mailto:Ada <ada@example.com>",
    "mailto:ada@example.com%0Abcc:x@example.com",
    "mailto:ada@example.com#x",
    "mailto:äda@example.com",
    "mailto:%ff@example.com",
    "mailto:?subject=x",
    "mailto:ada@example.com?bcc=ben@example.com",
    "mailto:ada@example.com?attach=/etc/passwd",
    "mailto:ada@example.com?subject=Ada & Ben",
    "mailto:ada@example.com?subject=a%0ab",
    "mailto:ada@example.com?subject=a&subject=b",
    "mailto:ada@example.com?subject=%ff",
    "mailto:ada@example.com?body=%00",
    "mailto:ada@example.com?cc=ben",
    "mailto:ada@example.com?subject=" + "a" * 2000,
    "tel:",
    "tel:+",
    "tel:12",
    "tel:1234567890123456",
    "tel:hello",
    "tel:*#06#",
    "tel:+1,,123",
    "tel:+44+20",
    "tel:٠٢٠٧٩٤٦",
    "tel:+442079460000;ext=5",
    "tel:+442079460000?body=x",
    "tel:javascript:alert(1)",
    "sms:",
    "sms:+442079460000,+442079460001",
    "sms:+442079460000?subject=x",
    "sms:+442079460000?body=%00",
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: ascii(text)[:60])
def test_an_invalid_address_is_refused_with_a_message(text):
    with pytest.raises(InvalidUrl) as refusal:
        clean(text, OWN)
    assert str(refusal.value).endswith(".")
    assert refusal.value.field == "reroute_url"


LOOPS = [
    "https://cards.example.net/t/DEMOURL",
    "https://cards.example.net/t/DEMOURL/",
    "cards.example.net/q/DEMOURL",
    "http://CARDS.example.net:8443/card/DEMOURL/?x",
    "https://cards.example.net/activate/DEMOURL",
    "https://cards.example.net/T/demourl",
    "https://cards.example.net/%74/DEMOURL",
    "https://cards.example.net/%2574/DEMOURL",
    "https://cards.example.net//t/DEMOURL",
    "https://cards.example.net/x/../t/DEMOURL",
    "https://cards.example.net/x/%2e%2e/t/DEMOURL",
    "https://cards.example.net/./t/DEMOURL",
    "https://cards.example.net/t%2FDEMOURL",
    "https://cards.example.net/t%5CDEMOURL",
    "https://cards.example.net./t/DEMOURL",
    "https://ｃards.example.net/t/DEMOURL",
    "https://cards。example.net/t/DEMOURL",
    "http://127.0.0.1/t/DEMOURL",
    "http://127.0.0.1:8000/t/DEMOURL#x",
    "https://cards.example.net/mounted/t/DEMOURL",
]


@pytest.mark.parametrize("text", LOOPS)
def test_an_address_that_opens_a_card_is_refused(text):
    with pytest.raises(InvalidUrl, match="circles"):
        clean(text, OWN)
    clean(text.replace("127.0.0.1", "192.0.2.1"), ())  # not an own host here


@pytest.mark.parametrize(
    "url",
    [
        "https://cards.example.net/",
        "https://cards.example.net/t",
        "https://cards.example.net/p/tess",
        "tel:+442079460000",
    ],
)
def test_other_pages_of_this_site_are_accepted(url):
    assert not target_urls.is_our_tap_url(url, OWN)


def test_a_website_must_be_a_web_address():
    assert target_urls.clean_website("Example.com/ada").url == "https://example.com/ada"
    for text in ("tel:+442079460000", "mailto:ada@example.com", "javascript:alert(1)", "hello", ""):
        with pytest.raises(InvalidUrl) as refusal:
            target_urls.clean_website(text)
        assert refusal.value.field == "website"


@pytest.mark.parametrize("url", ["", "tel:+44", "https://[::1", "nothing", "//example.com"])
def test_an_address_without_a_host_has_none(url):
    assert target_urls.host_of(url) is None


def test_an_address_has_at_most_2000_characters_in_encoded_form():
    assert len(clean("https://example.com/" + "a" * 1980).url) == 2000
    assert len(clean("example.com/" + "ä" * 330).url) == 2000


# fmt: off
PIECES = [
    "http", "https", "HTTPS", "mailto", "tel", "sms", "javascript", "data", ":", "//", "/", "\\", "?", "#",
    "@", "&", "=", "%", "%2", "%41", "%ff", "[", "]", "::1", "127.0.0.1", "0x7f", "example.com",
    "cards.example.net", ".", "..", "。", "t", "ä", "ß", "xn--", "a", "1", ":80", "+442079460000",
    "ada@example.com", "body", "subject=", "～", "|", "{", "😀", " ", "\t", "\n", "\x00", "\u200d",
]
# fmt: on
anything = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join),
    st.text(max_size=40).map("https://example.com/".__add__),
    st.text(max_size=30).map("https://".__add__),
)


@given(anything)
@example("http://a.1")
@example("https://example.com/?#")
@example("mailto:a%25b@example.com")
@example("https://faß.de")
def test_any_text_is_refused_or_safe_in_a_header(text):
    try:
        link = clean(text, OWN)
    except InvalidUrl:
        return
    assert link.url.isascii()
    assert link.url.isprintable()
    assert " " not in link.url
    assert len(link.url) <= target_urls.MAX_URL_LENGTH
    parts = urlsplit(link.url)
    assert parts.scheme in ("http", "https", "mailto", "tel", "sms")
    assert link.url.startswith(parts.scheme + ":")
    assert parts.hostname == link.host == target_urls.host_of(link.url)
    assert (link.host is not None) == (parts.scheme in target_urls.WEB_SCHEMES)
    assert parts.username is None
    assert parts.password is None
    assert location(link.url) == link.url
    assert clean(link.url, OWN) == link
    assert not target_urls.is_our_tap_url(link.url, OWN)
