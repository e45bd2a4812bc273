"""Factories for pages, subscribers and enquiries, and the pages of the demo shop."""

from typing import Any

import sqlalchemy as sa

from ..db import db
from ..models import Enquiry, PageMenu, ShopPage, Subscriber, SubscriberStatus

CONSENT = "I'd like to receive news from tapcard by email. I can unsubscribe at any time with one click."
ABOUT = """
tapcard is a small workshop that makes NFC cards. With one tap, a card opens your profile, your menu or your website on
the phone in front of you. No app needed.

## How it started

It started with a box of paper business cards that were out of date before we could hand them out. A tapcard only stores
a link, and you decide what that link opens. When your details change, your card stays the same.

## What matters to us

- **You're in control.** Change what your card opens whenever you like. The very next tap uses your new link.
- **No tracking.** People who tap a card stay anonymous, to us and to you.
- **Made to last.** Cards are printed to order, and they don't stop working because a subscription has run out.

Questions? [Contact us](/contact).
"""
FAQ = """
## Cards

### Which phones can read a card?

Nearly every recent phone: iPhones from the XS and XR onwards without any setup, and Android phones with NFC on. For all
other phones there's a QR code on the back.

### Can I change what my card opens?

Yes, as often as you like, free of charge. Open the card in your account and choose a new destination.

### I've lost my card. What should I do?

Mark it as lost in your account. Anyone who finds it can send you a message without seeing your contact details. If it
turns up, you can reactivate it.

### Do I need a subscription?

No. You pay once for the card. Taps, changes, profiles and statistics are free.

## Orders

### How long does delivery take?

We ship orders within three working days. You'll see delivery times and prices at checkout.

### Can I order for a whole team?

Yes, up to 500 cards at a time, and each card can open something different. [Contact us](/contact) and tell us what you
need.

### Can I cancel my order?

Yes, until you've paid for it: open your order and choose **Cancel order**. If you've already paid,
[contact us](/contact) as soon as possible.

### Can I return an order?

Yes, within 30 days. See our [returns policy](/pages/returns).
"""
RETURNS = """
## Changed your mind?

You can return most items within **30 days** of delivery, unused and in their original packaging.

1. [Contact us](/contact) with your order number and tell us what you'd like to return.
2. We'll reply with the return address.
3. Send the items back. Please keep proof of postage.

Unless we agree otherwise, you pay the cost of returning items you no longer want.

## Items you can't return

Items made especially for you can't be returned unless they're faulty. This includes engraved and other personalised
items, and cards printed with your own artwork.

## Faulty or incorrect items

If something arrives damaged, faulty or different from what you ordered, [contact us](/contact) with your order number
and a photo if possible. We'll repair it, replace it or refund you, and we'll pay for the return postage.

## Refunds

We'll refund you within 14 days of receiving the items, using the payment method you paid with. If you return your whole
order within 14 days of delivery, we also refund the cost of standard delivery.

This policy doesn't affect your statutory rights.
"""
DEMO_PAGES: tuple[dict[str, Any], ...] = (
    {
        "slug": "about",
        "title": "About us",
        "body": ABOUT,
        "description": "Who we are and why we make NFC cards.",
        "position": 1,
    },
    {
        "slug": "faq",
        "title": "FAQ",
        "body": FAQ,
        "description": "Answers to common questions about cards, orders and delivery.",
        "position": 2,
    },
    {
        "slug": "returns",
        "title": "Returns",
        "body": RETURNS,
        "description": "How to return an order and get a refund.",
        "position": 3,
    },
)


def seed_pages() -> list[str]:
    """Create About, FAQ and Returns, unless a page has their slug; return descriptions of what was created."""
    created = []
    known = set(db.session.scalars(sa.select(ShopPage.slug)))
    for values in DEMO_PAGES:
        if values["slug"] not in known:
            create_page(**{**values, "body": values["body"].strip()})
            created.append(f"page {values['slug']}")
    return created


def create_page(slug: str = "about", title: str = "About us", **values: Any) -> ShopPage:
    """Create a published page with a link in the footer."""
    page = ShopPage(slug=slug, title=title, **{"body": "# Who we are", "menu": PageMenu.FOOTER, **values})
    db.session.add(page)
    db.session.flush()
    return page


def create_subscriber(email: str = "gus@example.com", **values: Any) -> Subscriber:
    """Create a newsletter subscriber, by default unconfirmed."""
    subscriber = Subscriber(email=email, **{"status": SubscriberStatus.PENDING, "consent_text": CONSENT, **values})
    db.session.add(subscriber)
    db.session.flush()
    return subscriber


def create_enquiry(name: str = "Gus Lind", **values: Any) -> Enquiry:
    """Create an unanswered message from the contact form."""
    enquiry = Enquiry(name=name, **{"email": "gus@example.com", "message": "Do you ship to Lagos?", **values})
    db.session.add(enquiry)
    db.session.flush()
    return enquiry
