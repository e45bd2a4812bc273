"""The page of profile links: adding, changing, reordering, hiding and removing."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import Profile, ProfileLink, User
from tapcard.services.profiles import links
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, forms_on


@pytest.fixture
def ada_client(client: FormClient, ada: User) -> FormClient:
    login(client, ada)
    return client


@pytest.fixture
def link_ids(profile: Profile) -> list[int]:
    """Return the ids of links A, B and C."""
    profile_links = [
        ProfileLink(profile_id=profile.id, position=place, title=title, url=f"https://{title}.example/")
        for place, title in enumerate("ABC")
    ]
    db.session.add_all(profile_links)
    db.session.commit()
    return [link.id for link in profile_links]


def titles(profile: Profile) -> str:
    return "".join(link.title for link in links.links_of(profile))


def test_a_link_is_added_and_shown_on_the_profile(ada_client: FormClient, profile: Profile) -> None:
    path = f"/profiles/{profile.id}/links"
    assert "No links yet" in ada_client.get(path).text
    response = ada_client.post(path, data={"title": "My houses", "url": "example.com/houses"})
    assert response.location == path
    page = ada_client.get("/p/ada").text
    [link] = links.links_of(profile)
    assert f'href="/p/ada/open/link-{link.id}" rel="noopener nofollow ugc"' in page
    assert ada_client.get(f"/p/ada/open/link-{link.id}").location == "https://example.com/houses"
    assert "My houses" in page
    assert "My houses" in ada_client.get(f"/profiles/{profile.id}").text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": "", "url": "example.com"}, "title"),
        ({"title": "Work", "url": ""}, "url"),
        ({"title": "Work", "url": "javascript:alert(1)"}, "url"),
        ({"title": "Work", "url": "http://localhost/t/ADASCARD"}, "url"),
        ({"title": "x" * 81, "url": "example.com"}, "title"),
    ],
)
def test_a_refused_link_form_keeps_its_values(
    ada_client: FormClient, profile: Profile, link_ids: list[int], values: dict[str, str], field: str
) -> None:
    for path in (f"/profiles/{profile.id}/links", f"/profiles/{profile.id}/links/{link_ids[0]}"):
        response = ada_client.post(path, data=values)
        assert response.status_code == 422
        assert error_of(response.text, field)
        shown = form_to(response.text, path).values
        assert {name: shown[name] for name in values} == values
    assert titles(profile) == "ABC"


def test_the_link_above_the_limit_is_refused_and_kept_in_the_form(ada_client: FormClient, profile: Profile) -> None:
    path = f"/profiles/{profile.id}/links"
    for number in range(links.MAX_LINKS):
        ada_client.post(path, data={"title": f"Link {number}", "url": "example.com"})
    assert "reached the limit of 20 links" in ada_client.get(path).text
    response = ada_client.post(path, data={"title": "One more", "url": "example.com"})
    assert response.status_code == 422
    assert "already has 20 links" in response.text
    assert form_to(response.text, path).values["title"] == "One more"


def test_links_are_reordered_with_buttons(ada_client: FormClient, profile: Profile, link_ids: list[int]) -> None:
    path = f"/profiles/{profile.id}/links"
    move = f"{path}/{link_ids[2]}/move"
    up = next(f for f in forms_on(ada_client.get(path).text) if f.action == move and f.values["to"] == "up")
    response = ada_client.post(up.action, data=up.values, csrf=False)
    assert response.location == f"{path}#link-{link_ids[2]}"
    assert titles(profile) == "ACB"
    ada_client.post(f"{path}/{link_ids[0]}/move", data={"to": "down"})
    assert titles(profile) == "CAB"
    for nonsense in ("", "sideways", "x" * 5000):
        ada_client.post(f"{path}/{link_ids[0]}/move", data={"to": nonsense})
    assert titles(profile) == "CAB"


def test_links_are_reordered_by_dragging(ada_client: FormClient, profile: Profile, link_ids: list[int]) -> None:
    path = f"/profiles/{profile.id}/links/order"
    a, b, c = link_ids
    assert ada_client.post(path, data={"order": f"{c},{a},{b}"}).status_code == 302
    assert titles(profile) == "CAB"
    for wrong in ("", f"{a},{b}", f"{a},{b},{c},{c}", "x,y,z", f"{a},{b},{'9' * 40}", "1," * 5000, "\0", "²,³"):
        response = ada_client.post(path, data={"order": wrong})
        assert response.status_code == 409
        assert "Your links were changed in another window" in response.text
    assert titles(profile) == "CAB"


def test_a_link_is_hidden_and_shown(ada_client: FormClient, profile: Profile, link_ids: list[int]) -> None:
    path, opened = f"/profiles/{profile.id}/links/{link_ids[1]}/show", f"/p/ada/open/link-{link_ids[1]}"
    ada_client.post(path, data={"shown": "no"})
    assert opened not in ada_client.get("/p/ada").text
    assert ada_client.get(opened).status_code == 404
    assert f"/p/ada/open/link-{link_ids[2]}" in ada_client.get("/p/ada").text
    ada_client.post(path, data={"shown": "yes"})
    assert opened in ada_client.get("/p/ada").text
    assert ada_client.get(opened).location == "https://b.example/"


def test_a_link_is_changed_and_removed(ada_client: FormClient, profile: Profile, link_ids: list[int]) -> None:
    path = f"/profiles/{profile.id}/links/{link_ids[1]}"
    form = form_to(ada_client.get(path).text, path)
    response = ada_client.post(path, data={**form.values, "title": "Blog"}, csrf=False)
    assert response.location == f"/profiles/{profile.id}/links"
    assert titles(profile) == "ABlogC"
    stale = ada_client.post(path, data={**form.values, "title": "Book"}, csrf=False)
    assert stale.status_code == 422
    assert "This link was changed in another window" in stale.text
    assert form_to(stale.text, path).values["title"] == "Book"
    assert titles(profile) == "ABlogC"
    ada_client.post(f"{path}/remove")
    assert titles(profile) == "AC"
    assert ada_client.get(path).status_code == 404
    assert ada_client.post(f"{path}/remove").status_code == 404


def test_links_of_another_user_are_not_found(
    client: FormClient, profile: Profile, link_ids: list[int], cleo: User, create_profile: Callable[..., Profile]
) -> None:
    login(client, cleo)
    others = create_profile(cleo, "cleo")
    order = ",".join(map(str, link_ids))
    for number in (profile.id, others.id):
        base = f"/profiles/{number}/links"
        paths = [f"{base}/{link_ids[0]}{step}" for step in ("", "/move", "/show", "/remove")]
        for path in paths:
            assert client.post(path, data={"title": "Evil", "url": "evil.example", "to": "down"}).status_code == 404
        assert client.get(paths[0]).status_code == 404
        assert client.post(f"{base}/order", data={"order": order}).status_code in (404, 409)
    base = f"/profiles/{profile.id}/links"
    assert client.get(base).status_code == 404
    assert client.post(base, data={"title": "Evil", "url": "evil.example"}).status_code == 404
    stored = db.session.execute(sa.select(ProfileLink.title, ProfileLink.position, ProfileLink.is_shown)).all()
    assert [tuple(row) for row in stored] == [("A", 0, True), ("B", 1, True), ("C", 2, True)]


def test_text_of_the_holder_is_escaped(ada_client: FormClient, profile: Profile) -> None:
    path = f"/profiles/{profile.id}/links"
    markup = "\"'><script>alert(1)</script>"
    ada_client.post(path, data={"title": markup, "url": "https://example.com/?q=\"'><b>"})
    link = links.links_of(profile)[0]
    for page in (path, f"{path}/{link.id}", "/p/ada", f"/profiles/{profile.id}"):
        text = ada_client.get(page).text
        assert "<script>alert" not in text
        assert "><b>" not in text
