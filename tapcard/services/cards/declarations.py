"""Declarations of cards: permissions, uploads, personal data."""

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from ...db import db, execute_update
from ...models import Card, CardTransfer, Design, User
from ...registry import (
    Person,
    PersonalDataRule,
    declare_audit_labels,
    declare_other_columns,
    declare_permissions,
    declare_personal_data,
    declare_uploads,
)
from ..core.anonymization import RETIRED_REASON
from . import transitions
from .designs import own_artwork


def _blank_transfers(person: Person) -> None:
    concerns_person = sa.or_(
        CardTransfer.from_user_id == person.id,
        CardTransfer.to_user_id == person.id,
        CardTransfer.to_email.in_(sorted(person.emails)) & CardTransfer.ended_at.is_not(None),
    )
    execute_update(sa.update(CardTransfer).where(concerns_person).values(to_email=""))


def _blank_designs(person: Person) -> None:
    blank = {"name": "", "front_picture": None, "rear_picture": None, "why_rejected": ""}
    execute_update(sa.update(Design).where(own_artwork(person.id)).values(**blank))
    execute_update(sa.update(Design).where(Design.owner_id == person.id).values(owner_id=None))


def _retire_cards(person: Person) -> None:
    transitions.retire_all(db.session.get_one(User, person.id), RETIRED_REASON)
    execute_update(sa.update(Card).where(Card.owner_id == person.id).values(**transitions.CLEARED_VALUES))


declare_permissions("cards.view", "cards.register", "cards.make", "designs.edit", "hosts.block")
declare_uploads(Design.front_picture, Design.rear_picture)
declare_personal_data(
    PersonalDataRule("card targets and names", {"cards": ("alias", "reroute_url", "reroute_host")}, _retire_cards),
    PersonalDataRule(
        "own artwork", {"designs": ("name", "front_picture", "rear_picture", "why_rejected")}, _blank_designs
    ),
    PersonalDataRule("card transfers", {"card_transfers": ("to_email",)}, _blank_transfers),
)
declare_other_columns(
    {
        "blocked_hosts": ("host", "reason"),
        "card_batches": ("name",),
        "cards": ("token", "chip_uid", "claim_code", "claim_code_hash"),
    }
)
declare_audit_labels(
    actions={
        "batch.made": _("Batch of cards created"),
        "card.claimed": _("Card claimed"),
        "card.locked": _("Card deactivated"),
        "card.offer_declined": _("Card transfer declined"),
        "card.offer_withdrawn": _("Card transfer cancelled"),
        "card.offered": _("Card transfer requested"),
        "card.registered": _("Card registered"),
        "card.released": _("Card released"),
        "card.replaced": _("Card replaced"),
        "card.retired": _("Card retired"),
        "card.swapped": _("Card replaced from stock"),
        "card.transferred": _("Card transferred"),
        "card.unlocked": _("Card reactivated"),
        "cards.imported": _("Cards imported"),
        "design.approved": _("Artwork approved"),
        "design.changed": _("Design updated"),
        "design.made": _("Design created"),
        "design.rejected": _("Artwork rejected"),
        "host.blocked": _("Domain blocked"),
        "host.unblocked": _("Domain unblocked"),
    },
    objects={
        "blocked_hosts": _("Blocked domain"),
        "card_batches": _("Batch of cards"),
        "cards": _("Card"),
        "designs": _("Design"),
    },
)
