"""Pages, readers and messages: factories, and the pages of the demo."""

from typing import Any

import sqlalchemy as sa

from ..db import db
from ..models import Enquiry, PageMenu, ShopPage, Subscriber, SubscriberStatus

CONSENT = "I'd like to receive news from tapcard by email. I can unsubscribe at any time with one click."
ABOUT = """
tapcard is a small workshop. We make cards that open whatever you like on the phone of the person in front of you: your
profile, your menu, your website. One tap, no app.

## How it began

With a box of paper cards that were out of date before they were handed out. A card that only carries an address can
change its mind: what it opens is decided here, and you decide it.

## What matters to us

- **You stay in charge.** Change where a card leads whenever you like. The next tap already goes there.
- **Nobody is followed.** Whoever taps a card stays unknown to us and to you.
- **Things that last.** Cards are printed one by one, and none of them stops working because a subscription ran out.

Questions? [Write to us](/contact).
"""
FAQ = """
## Cards

### Which phones can read a card?

Nearly every phone of the last years: iPhones from the XS on without any setting, and Android phones with NFC switched
on. For all others there is a QR code on the back.

### Can I change what my card opens?

Yes, as often as you like, and it costs nothing. Open the card in your account and choose.

### I lost my card. What now?

Switch it off in your account. Whoever finds it can write to you, without learning your address.

## Orders

### How long does it take?

Cards leave the workshop within three working days. Delivery is shown at the checkout.

### Can I order for a whole team?

Yes, up to 500 cards at once. Every card can lead somewhere else. [Tell us](/contact) what you need.
"""
RETURNS = """
## Changed your mind?

You can send back what you bought within **30 days** of its arrival, unused and in its box. Write to us first, with the
number of your order, and we tell you where to send it.

## What cannot come back

Things made for you alone: engraved goods, and cards with your own artwork. Unless something is wrong with them, of
course.

## Something is wrong

Tell us within a reasonable time, with a photo if you can. We repair it, replace it or give your money back, whichever
you prefer, and pay for the parcel.

## When do I get my money?

Within 14 days of the parcel reaching us, the way you paid.

The rights the law gives you are not touched by any of this. [Write to us](/contact)
"""
DEMO_PAGES: tuple[dict[str, Any], ...] = (
    {
        "slug": "about",
        "title": "About us",
        "body": ABOUT,
        "description": "Who makes the cards, and why.",
        "position": 1,
    },
    {
        "slug": "faq",
        "title": "FAQ",
        "body": FAQ,
        "description": "Which phones read a card, how to change one, how long an order takes.",
        "position": 2,
    },
    {
        "slug": "returns",
        "title": "Returns",
        "body": RETURNS,
        "description": "How to send something back, and when the money comes.",
        "position": 3,
    },
)


def seed_pages() -> list[str]:
    """Write About, FAQ and Returns, unless there is a page of that address already; tells which it wrote."""
    made = []
    there = set(db.session.scalars(sa.select(ShopPage.slug)))
    for values in DEMO_PAGES:
        if values["slug"] not in there:
            create_page(**{**values, "body": values["body"].strip()})
            made.append(f"page {values['slug']}")
    return made


def create_page(slug: str = "about", title: str = "About us", **values: Any) -> ShopPage:
    """A published page at the foot of every page."""
    page = ShopPage(slug=slug, title=title, **{"body": "# Who we are", "menu": PageMenu.FOOTER, **values})
    db.session.add(page)
    db.session.flush()
    return page


def create_subscriber(email: str = "gus@example.com", **values: Any) -> Subscriber:
    """Somebody who asked for the newsletter and has not confirmed."""
    subscriber = Subscriber(email=email, **{"status": SubscriberStatus.PENDING, "consent_text": CONSENT, **values})
    db.session.add(subscriber)
    db.session.flush()
    return subscriber


def create_enquiry(name: str = "Gus Lind", **values: Any) -> Enquiry:
    """A message that waits for its answer."""
    enquiry = Enquiry(name=name, **{"email": "gus@example.com", "message": "Do you ship to Lagos?", **values})
    db.session.add(enquiry)
    db.session.flush()
    return enquiry
