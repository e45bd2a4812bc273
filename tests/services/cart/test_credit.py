"""Credit: given with a reason, spent at most once, and returned when an order ends unpaid."""

import pytest

from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.models import AuditEntry, CreditEntry, Product, User
from tapcard.services.cart import credit
from tests import purchases


def test_credit_given_is_added_to_the_balance_with_reason_and_actor(ada: User, olu: User) -> None:
    credit.give(ada, 500, "Late parcel", actor=olu)
    credit.give(ada, 250, "x" * 300, actor=olu)
    db.session.commit()
    assert credit.balance(ada.id) == 750
    entries = db.session.scalars(db.select(CreditEntry).order_by(CreditEntry.id)).all()
    assert [(entry.user_id, entry.amount, entry.why, entry.actor_id) for entry in entries] == [
        (ada.id, 500, "Late parcel", olu.id),
        (ada.id, 250, "x" * 200, olu.id),
    ]
    audited = db.session.scalars(db.select(AuditEntry).where(AuditEntry.tag == "credit.given")).all()
    assert {(entry.subject_type, entry.subject_id, entry.actor_id) for entry in audited} == {("users", ada.id, olu.id)}
    assert sorted(entry.details["amount"] for entry in audited) == [250, 500]


@pytest.mark.parametrize("amount", [0, -1])
def test_credit_given_must_be_above_zero(ada: User, amount: int) -> None:
    with pytest.raises(DomainError) as refused:
        credit.give(ada, amount, "Nothing")
    assert (refused.value.field, credit.balance(ada.id)) == ("amount", 0)


def test_credit_is_not_given_when_the_balance_has_changed_since_staff_looked(ada: User, olu: User) -> None:
    credit.give_if_unchanged(ada, 500, "Late parcel", seen=0, actor=olu)
    with pytest.raises(DomainError):
        credit.give_if_unchanged(ada, 500, "Late parcel", seen=0, actor=olu)
    assert credit.balance(ada.id) == 500


def test_credit_spent_on_an_order_is_refunded_to_the_same_person(ada: User, product: Product) -> None:
    credit.give(ada, 500, "Late parcel")
    order = purchases.create_order(ada, product)
    credit.spend(ada.id, 400, order)
    assert (credit.balance(ada.id), credit.amount_spent_on(order)) == (100, 400)
    with pytest.raises(credit.NotEnoughCredit):
        credit.spend(ada.id, 101, order)
    credit.refund(ada.id, 400, order)
    assert (credit.balance(ada.id), credit.amount_spent_on(order)) == (500, 0)
