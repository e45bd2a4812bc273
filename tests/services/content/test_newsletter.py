"""Newsletter subscribers: sign-up, confirmation, unsubscribing and deletion."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import registry, seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.mails import content
from tapcard.models import Subscriber, SubscriberStatus, User
from tapcard.services.content import newsletter
from tapcard.services.content.newsletter import LinkExpired, LinkUnknown
from tapcard.services.privacy import erasure, export
from tapcard.web import uploads
from tests.concurrency import run_concurrently

DAY = timedelta(days=1)
PENDING, SUBSCRIBED, UNSUBSCRIBED = SubscriberStatus


def subscribe_gus(text: str = "I agree.", days_ago: float = 0) -> Subscriber:
    newsletter.sign_up("Gus@Example.com ", text, utcnow() - days_ago * DAY)
    db.session.commit()
    return db.session.scalars(sa.select(Subscriber)).one()


def test_subscribing_unsubscribing_and_subscribing_again(
    app: Flask, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    gus = subscribe_gus("I agree to news.")
    assert (gus.email, gus.status, gus.consent_text) == ("gus@example.com", PENDING, "I agree to news.")
    first = newsletter.confirm_token(gus, keys)
    for _time in range(2):
        newsletter.confirm(first, keys, utcnow())
    assert gus.status is SUBSCRIBED
    confirmed_at = gus.confirmed_at
    db.session.commit()
    subscribe_gus("Other words.")
    assert (gus.status, gus.consent_text, gus.confirmed_at) == (SUBSCRIBED, "I agree to news.", confirmed_at)
    assert outbox() == ["mail.newsletter_confirm"], "a subscriber gets no second confirmation email"
    newsletter.unsubscribe(newsletter.get_by_unsubscribe_token(newsletter.unsubscribe_token(gus, keys), keys), utcnow())
    db.session.commit()
    assert gus.status is UNSUBSCRIBED
    with pytest.raises(LinkExpired):
        newsletter.confirm(first, keys, utcnow())
    subscribe_gus("Once more.")
    assert (gus.status, gus.consent_text) == (PENDING, "Once more.")
    with pytest.raises(LinkExpired):
        newsletter.confirm(first, keys, utcnow())
    newsletter.confirm(newsletter.confirm_token(gus, keys), keys, utcnow())
    assert (gus.status, gus.unsubscribed_at) == (SUBSCRIBED, None)


def test_links_of_two_confirmation_emails_within_days_both_work(app: Flask, keys: Keys) -> None:
    first = newsletter.confirm_token(subscribe_gus(days_ago=2), keys)
    assert newsletter.confirm_token(subscribe_gus(), keys) == first


def test_a_confirmation_link_expires_after_thirty_days(app: Flask, keys: Keys) -> None:
    gus = subscribe_gus(days_ago=29.9)
    token = newsletter.confirm_token(gus, keys)
    assert newsletter.get_by_confirm_token(token, keys, utcnow()) is gus
    with pytest.raises(LinkExpired):
        newsletter.confirm(token, keys, utcnow() + DAY)
    assert gus.status is PENDING


@pytest.mark.parametrize("change", ["cut", "forged", "other", "crossed", "odd"])
def test_a_forged_link_is_refused(app: Flask, keys: Keys, change: str) -> None:
    gus = subscribe_gus()
    other_subscriber = seeds.create_subscriber("cleo@example.com")
    right, leave = newsletter.confirm_token(gus, keys), newsletter.unsubscribe_token(gus, keys)
    wrong = {
        "cut": (right[:-1], leave[:-1]),
        "forged": (f"{gus.id}-{'0' * 64}",) * 2,
        "other": (
            f"{other_subscriber.id}-{right.partition('-')[2]}",
            f"{other_subscriber.id}-{leave.partition('-')[2]}",
        ),
        "crossed": (leave, right),
        "odd": ("9" * 30 + "-é", "-"),
    }[change]
    with pytest.raises(LinkExpired):
        newsletter.confirm(wrong[0], keys, utcnow())
    with pytest.raises(LinkUnknown):
        newsletter.get_by_unsubscribe_token(wrong[1], keys)


def test_an_unsubscribe_link_does_not_work_for_a_later_subscriber_with_the_same_id(app: Flask, keys: Keys) -> None:
    gus = subscribe_gus()
    number, token = gus.id, newsletter.unsubscribe_token(gus, keys)
    db.session.delete(gus)
    db.session.flush()
    seeds.create_subscriber("cleo@example.com", id=number)
    with pytest.raises(LinkUnknown):
        newsletter.get_by_unsubscribe_token(token, keys)


def test_concurrent_sign_ups_create_one_subscriber(app: Flask) -> None:
    run_concurrently(app, 4, lambda _place: newsletter.sign_up("gus@example.com", "Yes", utcnow()))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Subscriber)) == 1


def test_unconfirmed_and_former_subscribers_are_deleted_in_time(app: Flask) -> None:
    now = utcnow()
    seeds.create_subscriber("late@example.com", asked_at=now - 30 * DAY)
    seeds.create_subscriber("new@example.com", asked_at=now - 29 * DAY)
    seeds.create_subscriber("reader@example.com", status=SUBSCRIBED, asked_at=now - 900 * DAY)
    seeds.create_subscriber("left@example.com", status=UNSUBSCRIBED, unsubscribed_at=now - 364 * DAY)
    seeds.create_subscriber("gone@example.com", status=UNSUBSCRIBED, unsubscribed_at=now - 365 * DAY)
    db.session.commit()
    registry.jobs["newsletter.purge"].run()
    db.session.commit()
    left = set(db.session.scalars(sa.select(Subscriber.email)))
    assert left == {"new@example.com", "reader@example.com", "left@example.com"}


def test_no_confirmation_email_is_sent_to_a_confirmed_or_unsubscribed_address(app: Flask) -> None:
    gus = subscribe_gus()
    assert content.newsletter_confirm(gus.id) is not None
    for status in (SUBSCRIBED, UNSUBSCRIBED):
        gus.status = status
        assert content.newsletter_confirm(gus.id) is None
    assert content.newsletter_confirm(gus.id + 1) is None


def test_subscriptions_and_enquiries_are_exported_and_erased_with_the_account(
    app: Flask, ada: User, cleo: User
) -> None:
    for user, word in ((ada, "AdaQ"), (cleo, "CleoQ")):
        seeds.create_subscriber(user.email, consent_text=f"Consent{word}")
        seeds.create_enquiry(email=user.email, message=f"Guest{word}")
        seeds.create_enquiry(email="work@example.com", user_id=user.id, message=f"Signed{word}")
    ada.is_active, ada.closed_at = False, utcnow() - 20 * DAY
    db.session.commit()
    text = "".join(export.stream_json(ada, utcnow(), uploads.folder()))
    for word in ("ConsentAdaQ", "GuestAdaQ", "SignedAdaQ"):
        assert word in text
    assert "CleoQ" not in text
    ada.verified_at = None
    text = "".join(export.stream_json(ada, utcnow(), uploads.folder()))
    assert "SignedAdaQ" in text
    assert "GuestAdaQ" not in text, "an unverified address may belong to somebody else"
    db.session.rollback()
    erasure.erase(ada.id, utcnow(), closed_before=utcnow())
    db.session.commit()
    assert db.session.scalars(sa.select(Subscriber.consent_text)).all() == ["ConsentCleoQ"]
    left = db.session.scalars(sa.text("SELECT message FROM enquiries ORDER BY message")).all()
    assert left == ["GuestCleoQ", "SignedCleoQ"]
