"""Social media handles: accepted spellings and refused text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapcard.models import SOCIALS, Profile
from tapcard.services.profiles import social_handles
from tapcard.services.profiles.social_handles import InvalidHandle

GOOD = [
    ("linkedin", "ada-obi", "ada-obi"),
    ("linkedin", "in/ada-obi", "ada-obi"),
    ("linkedin", "/in/ada-obi/", "ada-obi"),
    ("linkedin", "https://www.linkedin.com/in/ada-obi/", "ada-obi"),
    ("linkedin", "https://uk.linkedin.com/in/ada-obi?trk=x", "ada-obi"),
    ("linkedin", "linkedin.com/in/ad%C3%A4-obi/details", "adä-obi"),
    ("linkedin", "https://www.linkedin.com/company/obi-daughters/about", "company/obi-daughters"),
    ("instagram", "obi.builds", "obi.builds"),
    ("instagram", "@obi.builds", "obi.builds"),
    ("instagram", " https://instagram.com/obi.builds/?hl=en ", "obi.builds"),
    ("instagram", "HTTPS://WWW.INSTAGRAM.COM/obi.builds#x", "obi.builds"),
    ("instagram", "www.instagram.com/obi.builds", "obi.builds"),
    ("snapchat", "ada.obi-1", "ada.obi-1"),
    ("snapchat", "https://www.snapchat.com/add/ada_obi?share_id=x", "ada_obi"),
    ("snapchat", "https://www.snapchat.com/@ada_obi", "ada_obi"),
    ("x", "@ada_obi", "ada_obi"),
    ("x", "https://x.com/ada_obi/status/1", "ada_obi"),
    ("x", "https://mobile.twitter.com/ada_obi", "ada_obi"),
    ("tiktok", "@ada.obi", "ada.obi"),
    ("tiktok", "https://www.tiktok.com/@ada.obi?lang=en", "ada.obi"),
    ("youtube", "@AdaObi", "AdaObi"),
    ("youtube", "https://www.youtube.com/@AdaObi/videos", "AdaObi"),
    ("youtube", "youtube.com/AdaObi", "AdaObi"),
    ("youtube", "@watch", "watch"),
    ("facebook", "ada.obi", "ada.obi"),
    ("facebook", "https://m.facebook.com/ada.obi/", "ada.obi"),
    ("facebook", "https://www.facebook.com/profile.php?id=100012345678&sk=about", "100012345678"),
    ("facebook", "https://www.facebook.com/people/Ada-Obi/100012345678/", "100012345678"),
    ("facebook", "https://www.facebook.com/p/Ada-Obi-100012345678/", "100012345678"),
    ("github", "ada-obi", "ada-obi"),
    ("github", "https://github.com/ada-obi/tapcard", "ada-obi"),
    ("github", "//github.com/ada-obi", "ada-obi"),
]


@pytest.mark.parametrize(("key", "text", "handle"), GOOD)
def test_a_handle_is_found_in_any_spelling(key, text, handle):
    assert social_handles.clean(key, text) == handle
    assert social_handles.clean(key, social_handles.profile_url(key, handle)) == handle
    assert social_handles.clean(key, handle) == handle


BAD = [
    ("linkedin", "ab"),
    ("linkedin", "ada_obi"),
    ("linkedin", "a" * 101),
    ("linkedin", "https://www.linkedin.com/feed/"),
    ("linkedin", "https://www.linkedin.com/in/"),
    ("instagram", "ada obi"),
    ("instagram", ".ada"),
    ("instagram", "ada."),
    ("instagram", "a..b"),
    ("instagram", "a" * 31),
    ("instagram", "ädа"),
    ("instagram", "@@ada"),
    ("instagram", "@"),
    ("instagram", "instagram.com"),
    ("instagram", "https://instagram.com/"),
    ("instagram", "https://instagram.com/p/Cabc123/"),
    ("instagram", "https://instagram.com/%ff"),
    ("snapchat", "1ada"),
    ("snapchat", "ad"),
    ("snapchat", "a" * 16),
    ("snapchat", "https://www.snapchat.com/discover"),
    ("x", "ada-obi"),
    ("x", "a" * 16),
    ("x", "I"),
    ("x", "Home"),
    ("x", "https://x.com/home"),
    ("x", "https://x.com/i/flow/login"),
    ("tiktok", "a"),
    ("tiktok", "ada."),
    ("tiktok", "https://www.tiktok.com/foryou"),
    ("youtube", "ab"),
    ("youtube", "-ada-"),
    ("youtube", "https://www.youtube.com/channel/UCxxxxxxxxxxxxxxxxxxxxxx"),
    ("youtube", "https://www.youtube.com/watch?v=abc"),
    ("facebook", "ada"),
    ("facebook", "ada-obi"),
    ("facebook", "profile.php"),
    ("facebook", "/facebook.com"),
    ("facebook", "https://www.facebook.com/groups/1"),
    ("facebook", "https://www.facebook.com/profile.php"),
    ("facebook", "https://www.facebook.com/profile.php?id=javascript:1"),
    ("github", "-ada"),
    ("github", "ada-"),
    ("github", "ada--obi"),
    ("github", "a" * 40),
    ("github", "ada_obi"),
]


@pytest.mark.parametrize(("key", "text"), BAD)
def test_an_invalid_handle_is_refused(key, text):
    with pytest.raises(InvalidHandle) as refusal:
        social_handles.clean(key, text)
    assert refusal.value.field == key
    assert str(refusal.value) == social_handles.SITES[key].rule


ELSEWHERE = [
    "https://evil.example/ada",
    "evil.example/ada",
    "https://{host}.evil.example/ada",
    "https://evil.example/{host}/ada",
    "https://evil{host}/ada",
    "https://{host}@evil.example/ada",
    "//evil.example/ada",
    "https://{host}:8080/ada",
]


@pytest.mark.parametrize("key", SOCIALS)
@pytest.mark.parametrize("text", ELSEWHERE)
def test_an_address_of_another_site_is_refused(key, text):
    with pytest.raises(InvalidHandle, match="That address isn't on"):
        social_handles.clean(key, text.format(host=social_handles.SITES[key].hosts[0]))


@pytest.mark.parametrize("key", SOCIALS)
@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "javascript://{host}/ada", "java\tscript://{host}/ada", "data://{host}/ada", "ftp://{host}/ada",
     "<script>", '"onload="x', "ada\nobi", "ada\x00obi", "../../etc", "ada?x", "ada#x", "a" * 5000],
)  # fmt: skip
def test_scripts_and_other_schemes_are_refused(key, text):
    with pytest.raises(InvalidHandle):
        social_handles.clean(key, text.format(host=social_handles.SITES[key].hosts[0]))


@pytest.mark.parametrize("key", SOCIALS)
@given(text=st.text(max_size=40) | st.text(max_size=20).map("https://www.facebook.com/".__add__))
def test_any_text_is_refused_or_becomes_a_valid_handle(key, text):
    try:
        handle = social_handles.clean(key, text)
    except InvalidHandle:
        return
    assert 0 < len(handle) <= Profile.__table__.c[key].type.length
    address = social_handles.profile_url(key, handle)
    assert address.isascii()
    assert address.startswith("https://")
    assert social_handles.clean(key, address) == handle


def test_a_handle_is_displayed_in_the_style_of_its_site():
    shown = {key: social_handles.display_handle(key, "ada-obi") for key in SOCIALS}
    assert shown["linkedin"] == "in/ada-obi"
    assert shown["github"] == shown["facebook"] == "ada-obi"
    assert shown["instagram"] == shown["x"] == shown["tiktok"] == "@ada-obi"
    assert social_handles.display_handle("linkedin", "company/obi") == "company/obi"


def test_every_column_has_a_site():
    assert tuple(social_handles.SITES) == SOCIALS
