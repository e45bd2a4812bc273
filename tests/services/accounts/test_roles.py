"""Roles: creating the owner, seeding the fixed roles, permissions."""

import pytest
from flask import Flask
from sqlalchemy import select

from tapcard.db import db
from tapcard.models import Role, TwoFactor, User, WebSession
from tapcard.services.accounts import credentials, registration, roles
from tapcard.services.accounts.credentials import WeakPassword, WrongCredentials
from tests.conftest import PASSWORD
from tests.services.accounts.helpers import NOW, queued_payloads


def test_an_owner_is_created_with_a_password(app: Flask) -> None:
    user = roles.create_owner("Olu@example.com", "Olu", "Ade", PASSWORD)
    db.session.commit()
    assert [role.name for role in user.roles] == ["owner"]
    assert user.may("anything at all")
    assert credentials.authenticate("olu@example.com", PASSWORD, NOW) == user
    assert user.is_verified


def test_an_owner_created_without_a_password_gets_a_link(app: Flask) -> None:
    roles.create_owner("olu@example.com", "Olu", "Ade")
    assert queued_payloads("mail.set_password") == [{"email": "olu@example.com"}]


def test_an_existing_user_becomes_owner_and_keeps_everything_else(ada: User) -> None:
    for _time in range(2):
        user = roles.create_owner("ada@example.com", "Other", "Name")
        db.session.commit()
    assert user.id == ada.id
    assert [role.name for role in ada.roles] == ["owner"]
    assert ada.first_name == "Ada"
    assert credentials.authenticate("ada@example.com", PASSWORD, NOW) == ada
    assert queued_payloads("mail.set_password") == []


def test_a_stranger_who_signed_up_with_the_address_of_the_owner_loses_all_access(app: Flask) -> None:
    registration.sign_up("Not", "Olu", "olu@example.com", PASSWORD, NOW)
    db.session.commit()
    stranger = registration.find_user("olu@example.com")
    assert stranger is not None
    db.session.add(TwoFactor(user_id=stranger.id, secret="sealed", confirmed_at=NOW))
    values = {"sid_hash": "0" * 64, "user_id": stranger.id, "data": b"{}", "seen_at": NOW, "expires_at": NOW}
    db.session.add(WebSession(**values))
    db.session.commit()
    roles.create_owner("olu@example.com", "Olu", "Ade")
    db.session.commit()
    assert db.session.scalars(select(WebSession)).all() == []
    assert not stranger.has_two_factor
    with pytest.raises(WrongCredentials):
        credentials.authenticate("olu@example.com", PASSWORD, NOW)
    assert len(queued_payloads("mail.set_password")) == 1


def test_an_owner_with_a_weak_password_is_refused(app: Flask) -> None:
    with pytest.raises(WeakPassword):
        roles.create_owner("olu@example.com", "Olu", "Ade", "1234567890")
    assert registration.find_user("olu@example.com") is None


def test_fixed_roles_are_seeded_and_restored(app: Flask) -> None:
    staff = db.session.scalars(select(Role).where(Role.name == "staff")).one()
    staff.permissions, staff.is_fixed = [], False
    db.session.commit()
    roles.seed_roles()
    roles.seed_roles()
    db.session.commit()
    stored = {role.name: role for role in db.session.scalars(select(Role))}
    assert {"owner", "staff", "teacher", "assistant"} <= set(stored)
    assert all(stored[name].is_fixed for name in roles.fixed_roles())
    assert "cards.register" in stored["staff"].permissions
    assert "*" not in stored["staff"].permissions


def test_a_custom_role_with_unknown_permissions_keeps_working(app: Flask, ben: User) -> None:
    """Roles stored by an earlier version or created by hand."""
    desk = Role(name="desk", permissions=["cards.lock", "cards.view", "users.view"], is_fixed=False)
    ben.roles = [desk]
    db.session.commit()
    roles.seed_roles()
    db.session.commit()
    assert [ben.may(permission) for permission in ("cards.view", "cards.lock", "orders.view")] == [True, True, False]
    assert desk.permissions == ["cards.lock", "cards.view", "users.view"]
    ben.roles = []
    db.session.delete(desk)
    db.session.commit()


def test_each_role_has_its_permissions(ada: User, ben: User, olu: User) -> None:
    permissions = [(user.may("cards.register"), user.may("settings.edit")) for user in (ada, ben, olu)]
    assert permissions == [(False, False), (True, False), (True, True)]
