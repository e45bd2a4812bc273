"""The public page of a profile: contacts, metadata, size, and who can see it."""

import gzip
import re

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import SOCIALS
from tapcard.services.profiles import profiles
from tests.conftest import login

EVERYTHING = {
    "name": "Ada Obi",
    "headline": "Architect",
    "company": "Obi & Daughters",
    "bio": "Shade first.\nThen walls.",
    "email": "work@example.com",
    "phone": "+442079460000",
    "whatsapp": "+2348035550142",
    "website": "https://example.com/work",
    "photo": "0" * 32 + ".webp",
    "linkedin": "ada-obi",
    "instagram": "obi.builds",
    "snapchat": "ada_obi",
    "x": "ada_obi",
    "tiktok": "ada.obi",
    "youtube": "AdaObi",
    "facebook": "ada.obi",
    "github": "ada-obi",
}


def test_every_contact_is_shown_to_visitors(client, ada, create_profile):
    create_profile(ada, "ada-obi", **EVERYTHING)
    response = client.get("/p/ada-obi")
    page = response.text
    assert response.status_code == 200
    for href in (
        "tel:+442079460000",
        "mailto:work@example.com",
        *(f"/p/ada-obi/open/{key}" for key in ("whatsapp", "website", *SOCIALS)),
    ):
        assert f'href="{href}"' in page
    for text in (
        ">Architect<",
        ">Obi &amp; Daughters<",
        "Shade first.<br>Then walls.",
        "+234 803 555 0142",
        "Made with",
    ):
        assert text in page
    for tag in re.findall(r'<a [^>]*href="/p/ada-obi/open/[^>]*>', page):
        assert 'rel="noopener nofollow"' in tag
    assert len(re.findall("btn-primary", page)) == 1
    assert "<nav" not in page


def test_the_email_link_never_contains_the_address_of_the_visitor(client, ada_profile, cleo, ada):
    ada_profile.email = "work@example.com"
    db.session.commit()
    login(client, cleo)
    page = client.get("/p/ada-obi").text
    assert re.findall(r'href="mailto:([^"]*)"', page) == ["work@example.com"]
    assert "cleo@example.com" not in page
    ada_profile.email = None
    db.session.commit()
    assert "mailto:" not in client.get("/p/ada-obi").text
    assert ada.email not in client.get("/p/ada-obi").text


def test_a_minimal_profile_has_a_page(client, ada, create_profile):
    create_profile(ada, "ada-obi")
    page = client.get("/p/ada-obi").text
    assert "Ada Obi" in page
    assert page.count("btn-primary") == 1
    assert "None" not in page


def test_the_page_has_metadata_for_sharing(client, ada, create_profile):
    create_profile(ada, "ada-obi", **EVERYTHING)
    page = client.get("/p/ada-obi", headers={"Host": "evil.example"}).text
    assert '<link rel="canonical" href="http://localhost/p/ada-obi">' in page
    assert '<meta property="og:title" content="Ada Obi">' in page
    assert '<meta property="og:url" content="http://localhost/p/ada-obi">' in page
    assert f'<meta property="og:image" content="http://localhost/uploads/{"0" * 32}.webp">' in page
    assert '<meta name="description" content="Shade first. Then walls.">' in page
    assert "evil.example" not in page


def test_the_qr_code_is_embedded(client, ada_profile):
    page = client.get("/p/ada-obi").text
    assert '<svg role="img"' in page
    assert not re.search(r'<(?:img|script|link|iframe)[^>]*(?:src|href)="(?:https?:)?//(?!localhost)', page)


def test_the_page_is_small(client, ada, create_profile):
    create_profile(ada, "ada-obi", **{**EVERYTHING, "bio": "Ñandú " * 166})
    response = client.get("/p/ada-obi")
    weight = len(gzip.compress(response.data))
    for address in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text)):
        with client.get(address, headers={"Accept-Encoding": "gzip"}) as asset:
            weight += len(asset.data)
    assert weight < 60 * 1024


def test_text_of_the_holder_is_escaped(client, ada, create_profile):
    markup = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    create_profile(ada, "ada-obi", name=markup[:60], headline=markup, company=markup, bio=f"{markup}\n{{{{ 7*7 }}}}")
    page = client.get("/p/ada-obi").text
    assert "<script>alert" not in page
    assert "onerror=alert(1)>" not in page
    assert "{{ 7*7 }}" in page
    login(client, ada)
    for path in ("/profiles", f"/profiles/{profiles.find_by_slug('ada-obi').profile.id}"):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize("slug", ["ADA-OBI", "Ada-Obi"])
def test_uppercase_addresses_redirect_to_lowercase(client, ada_profile, slug):
    response = client.get(f"/p/{slug}")
    assert (response.status_code, response.location) == (301, "/p/ada-obi")


def test_addresses_of_the_legacy_system_redirect(client, ada_profile):
    for path in ("/profile/slug/ada-obi/", "/profile/slug/ada-obi", "/profile/slug/ADA-obi/"):
        response = client.get(path)
        assert (response.status_code, response.location) == (301, "/p/ada-obi")
    for path in ("/profile/slug/%2F%2Fevil.example/", "/profile/slug/%5Cevil.example/", "/profile/slug/a%0D%0Ab/"):
        response = client.get(path)
        assert response.status_code in (301, 308, 404)  # 308: repeated slashes are merged
        assert re.fullmatch(r"/p/[^/]*|http://localhost/profile/slug/.*|None", str(response.location))


@pytest.mark.parametrize(
    "slug", ["nobody", "ada%00obi", "ada%2Fobi", "%F0%9F%98%80", "%FF", "a" * 3000, "..", "'", "{{7*7}}"]
)
def test_an_unknown_slug_is_not_found(client, ada_profile, slug):
    assert client.get(f"/p/{slug}").status_code == 404


def test_a_private_profile_is_visible_only_to_its_owner(client, new_client, ada_profile, ada, cleo):
    ada_profile.is_public = False
    db.session.commit()
    login(client, cleo)
    for visitor in (client, new_client()):
        response = visitor.get("/p/ada-obi")
        assert response.status_code == 404
        assert "This profile is private" in response.text
        assert 'name="robots" content="noindex"' in response.text
        assert "Architect" not in response.text
        assert "Ada" not in response.text
    owner = new_client()
    login(owner, ada)
    response = owner.get("/p/ada-obi")
    assert response.status_code == 200
    assert "Only you can see it" in response.text
    assert "Architect" in response.text
    assert 'content="noindex"' in response.text


def test_profiles_of_a_closed_account_are_not_found(client, ada_profile, ada):
    ada.is_active = False
    db.session.commit()
    assert client.get("/p/ada-obi").status_code == 404


def test_only_the_owner_sees_the_edit_link(ada_client, new_client, ada_profile):
    assert f"/profiles/{ada_profile.id}" in ada_client.get("/p/ada-obi").text
    assert f"/profiles/{ada_profile.id}" not in new_client().get("/p/ada-obi").text


@pytest.mark.parametrize("path", ["/p/ada-obi", "/profiles", "/profiles/{id}"])
def test_profile_pages_run_a_fixed_number_of_queries(ada_client, ada, ada_profile, create_profile, create_card, path):
    def questions() -> int:
        recorded = []

        def count(_connection, _cursor, statement, *_rest):
            if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")):
                recorded.append(statement)

        sa.event.listen(db.engine, "before_cursor_execute", count)
        try:
            assert ada_client.get(path.format(id=ada_profile.id)).status_code == 200
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", count)
        return len(recorded)

    questions()  # the first page after login also shows flash messages
    few = questions()
    for number in range(10):
        create_card(ada, profile=create_profile(ada, f"ada-{number}", **EVERYTHING))
    for field, value in EVERYTHING.items():
        setattr(ada_profile, field, value)
    db.session.commit()
    assert questions() == few
    assert few <= 12


def test_a_head_request_responds_like_get(client, ada_profile):
    response = client.head("/p/ada-obi")
    assert (response.status_code, response.data) == (200, b"")
