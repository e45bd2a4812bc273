"""Shop settings: defaults, changes and invalid values."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import settings
from tapcard.db import db
from tapcard.models import Setting
from tapcard.settings import ShopSettings, UnknownSetting
from tests.conftest import FormClient
from tests.statements import queries, statements

NONSENSE: list[tuple[str, Any]] = [
    ("time_zone", "Mars/Base"),
    ("time_zone", ""),
    ("time_zone", "Europe"),
    ("time_zone", "../../etc/passwd"),
    ("time_zone", "Europe/London\0"),
    ("locale", "xx_YY"),
    ("locale", ""),
    ("locale", "no locale at all"),
    ("currency", "XXXX"),
    ("currency", ""),
    ("currency", "gbp"),
    ("country", "Great Britain"),
    ("brand_color", "red"),
    ("ink_color", "#123456\n"),
    ("card_amount", -1),
    ("activation_amount", 2**31),
    ("activation_amount", 10.5),
    ("activation_amount", "1000"),
    ("activation_amount", True),
    ("activation_amount", None),
    ("shop_name", 5),
    ("shop_name", ["a"]),
    ("tax_word", ""),
    ("tax_word", " VAT"),
    ("tax_word", "V\nT"),
    ("tax_word", "x" * 31),
    ("whatsapp_number", "07911 123456"),
    ("whatsapp_number", "+44 7911 123456"),
    ("newsletter_consent", "x" * 501),
]


def test_an_empty_installation_has_every_setting(app: Flask) -> None:
    assert settings.load() == ShopSettings()
    assert all(settings.is_valid(name, value) for name, value in dataclasses.asdict(ShopSettings()).items())


def test_a_changed_setting_keeps_the_defaults_of_the_others(app: Flask) -> None:
    settings.update("shop_name", "Lake Cards")
    settings.update("time_zone", "Africa/Lagos")
    db.session.commit()
    assert settings.load() == dataclasses.replace(ShopSettings(), shop_name="Lake Cards", time_zone="Africa/Lagos")
    settings.update("shop_name", "Sea Cards")
    db.session.commit()
    assert settings.load().shop_name == "Sea Cards"


@pytest.mark.parametrize(("name", "value"), [*NONSENSE, ("no_such", "x"), ("__class__", "x"), ("", "")])
def test_an_invalid_value_is_refused(app: Flask, name: str, value: Any) -> None:
    with pytest.raises(UnknownSetting):
        settings.update(name, value)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Setting)) == 0


@pytest.mark.parametrize(("name", "value"), [*NONSENSE, ("of_a_former_version", "x")])
def test_an_invalid_stored_value_is_ignored(
    client: FormClient, set_setting: Callable[[str, Any], None], name: str, value: Any
) -> None:
    set_setting(name, value)
    assert settings.load() == ShopSettings()
    assert client.get("/").status_code == 200


def test_settings_are_read_in_one_query(app: Flask, set_setting: Callable[[str, Any], None]) -> None:
    set_setting("shop_name", "Lake Cards")
    with statements() as recorded:
        settings.load()
    assert len(queries(recorded)) == 1
