"""Profile links: validation, ownership and order."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.models import AuditEntry, Profile, ProfileLink, User
from tapcard.services.cards import blocked_hosts
from tapcard.services.cards.target_urls import InvalidUrl
from tapcard.services.profiles import links, profiles
from tapcard.services.profiles.links import InvalidLink, LinkNotFound, TooManyLinks
from tapcard.services.profiles.profiles import EditConflict
from tests.concurrency import run_concurrently

OWN = ("tap.example",)


def add_link(profile: Profile, title: str = "Work", url: str = "example.com/work") -> ProfileLink:
    link = links.add(profile, profile.owner, title=title, url=url, own_hosts=OWN)
    db.session.commit()
    return link


def titles(profile: Profile) -> list[str]:
    return [link.title for link in links.links_of(profile)]


@pytest.fixture
def link_ids(profile: Profile) -> list[int]:
    """Return the ids of links A, B and C."""
    return [add_link(profile, title).id for title in "ABC"]


def test_a_link_is_added_last_in_normal_form(profile: Profile, link_ids: list[int]) -> None:
    link = add_link(profile, "  My   café ", "bücher.example/ä")
    assert (link.title, link.url, link.is_shown) == ("My café", "https://xn--bcher-kva.example/%C3%A4", True)
    assert titles(profile) == ["A", "B", "C", "My café"]


@pytest.mark.parametrize(
    "url", ["mailto:ada@example.com", "tel:+442079460000", "sms:+442079460000", "http://a.example"]
)
def test_every_scheme_of_card_targets_is_accepted(profile: Profile, url: str) -> None:
    assert add_link(profile, url=url).url.startswith(url)


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "data:x", "ftp://a.example", "a b", "https://tap.example/t/ABC", "x" * 3000]
)  # fmt: skip
def test_an_invalid_link_address_is_refused_at_its_field(profile: Profile, url: str) -> None:
    with pytest.raises(InvalidUrl) as refusal:
        add_link(profile, url=url)
    assert refusal.value.field == "url"


@pytest.mark.parametrize("title", ["", "   ", "\u200b", "a\0b", "a\x1bb", "x" * 81])
def test_an_invalid_title_is_refused_at_its_field(profile: Profile, title: str) -> None:
    with pytest.raises(InvalidLink) as refusal:
        add_link(profile, title)
    assert refusal.value.field == "title"


def test_a_profile_has_at_most_twenty_links(profile: Profile) -> None:
    for number in range(links.MAX_LINKS):
        add_link(profile, f"Link {number}")
    with pytest.raises(TooManyLinks):
        add_link(profile)


def test_concurrent_additions_never_exceed_the_maximum(app: Flask, profile: Profile, ada: User) -> None:
    for number in range(links.MAX_LINKS - 1):
        add_link(profile, f"Link {number}")
    profile_id = profile.id

    def add(place: int) -> str:
        own = db.session.get_one(Profile, profile_id)
        links.add(own, own.owner, title=f"Last {place}", url="example.com", own_hosts=OWN)
        return "added"

    assert sorted(run_concurrently(app, 4, add), key=str) == [TooManyLinks] * 3 + ["added"]


def test_a_link_of_another_profile_is_not_found(
    profile: Profile, link_ids: list[int], create_profile: Callable[..., Profile], ada: User
) -> None:
    other_profile = create_profile(ada, "ada-private")
    for link_id in (link_ids[0], 0, -1, 2**63, 10**30):
        with pytest.raises(LinkNotFound):
            links.own_link(other_profile, link_id)
        with pytest.raises(LinkNotFound):
            links.move(other_profile, link_id, by=1)
    with pytest.raises(EditConflict):
        links.reorder(other_profile, link_ids)


@pytest.mark.parametrize(
    ("place", "by", "order"),
    [(0, 1, "BAC"), (2, -1, "ACB"), (0, -1, "ABC"), (2, 1, "ABC"), (0, 2, "BCA"), (0, 99, "BCA"), (1, 0, "ABC")],
)
def test_a_link_moves_within_the_list(profile: Profile, link_ids: list[int], place: int, by: int, order: str) -> None:
    links.move(profile, link_ids[place], by=by)
    db.session.commit()
    assert "".join(titles(profile)) == order


def test_links_can_be_put_in_any_order(profile: Profile, link_ids: list[int]) -> None:
    a, b, c = link_ids
    links.reorder(profile, [c, a, b])
    db.session.commit()
    assert titles(profile) == ["C", "A", "B"]


def test_an_incomplete_or_duplicate_order_is_refused(profile: Profile, link_ids: list[int]) -> None:
    a, b, c = link_ids
    for order in ([a, b], [a, b, c, c], [a, b, b], [a, b, c, 0], []):
        with pytest.raises(EditConflict):
            links.reorder(profile, order)
    assert titles(profile) == ["A", "B", "C"]


def test_concurrent_moves_keep_every_link_with_a_unique_position(
    app: Flask, profile: Profile, link_ids: list[int]
) -> None:
    profile_id = profile.id

    def move(place: int) -> str:
        links.move(db.session.get_one(Profile, profile_id), link_ids[place % 3], by=(-1) ** place)
        return "moved"

    assert run_concurrently(app, 8, move) == ["moved"] * 8
    assert sorted(titles(profile)) == ["A", "B", "C"]
    assert [link.position for link in links.links_of(profile)] == [0, 1, 2]


def test_an_outdated_change_of_a_link_is_refused(profile: Profile, link_ids: list[int]) -> None:
    link = links.own_link(profile, link_ids[0])
    seen = links.link_hash(link)
    links.update(link, profile.owner, title="A2", url="example.com/2", seen=seen, own_hosts=OWN)
    db.session.commit()
    assert (link.title, link.url) == ("A2", "https://example.com/2")
    with pytest.raises(EditConflict):
        links.update(link, profile.owner, title="A3", url="example.com", seen=seen, own_hosts=OWN)
    db.session.rollback()
    assert link.title == "A2"


def test_changing_a_deleted_link_is_refused(profile: Profile, link_ids: list[int]) -> None:
    link = links.own_link(profile, link_ids[0])
    seen = links.link_hash(link)
    db.session.execute(sa.delete(ProfileLink), execution_options={"synchronize_session": False})
    with pytest.raises(LinkNotFound):
        links.update(link, profile.owner, title="A2", url="example.com", seen=seen, own_hosts=OWN)


def test_a_hidden_link_is_not_shown(profile: Profile, link_ids: list[int]) -> None:
    links.set_shown(links.own_link(profile, link_ids[1]), is_shown=False)
    db.session.commit()
    shown = links.page_rows(profile, links.links_of(profile)).links
    assert [link.title for link in shown] == ["A", "C"]


def test_removing_a_link_is_audited(profile: Profile, link_ids: list[int], ada: User) -> None:
    links.remove(links.own_link(profile, link_ids[1]), ada)
    db.session.commit()
    assert titles(profile) == ["A", "C"]
    assert db.session.scalar(sa.select(AuditEntry.actor_id).where(AuditEntry.tag == "profile_link.removed")) == ada.id


def test_links_to_a_blocked_host_are_refused_and_not_shown(profile: Profile, ada: User) -> None:
    add_link(profile, "Evil", "https://sub.evil.example/x")
    add_link(profile, "Good", "https://good.example/x")
    profile.website, profile.github = "https://evil.example/", "ada"
    blocked_hosts.block_host("evil.example", None)
    db.session.commit()
    rows = links.page_rows(profile, links.links_of(profile))
    assert [link.title for link in rows.links] == ["Good"]
    assert [row.kind for row in rows.contacts] == ["github"]
    with pytest.raises(InvalidLink):
        add_link(profile, "Again", "evil.example")
    with pytest.raises(DomainError) as refusal:
        profiles.create(ada, {"name": "Ada", "website": "evil.example"}, region="GB")
    assert refusal.value.field == "website"


def test_links_are_deleted_with_their_profile(profile: Profile, link_ids: list[int], ada: User) -> None:
    profiles.delete(profile, ada)
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ProfileLink)) == 0
