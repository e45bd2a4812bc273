"""Option templates: adding their options to a product, in order and without duplicates."""

from collections.abc import Callable

from tapcard.db import db
from tapcard.models import OptionKind, Product, ProductOption
from tapcard.services.catalogue import option_templates
from tapcard.services.catalogue.option_templates import ENGRAVED_GOODS, GIFT_PACK, TEMPLATES


def keys_of(product: Product) -> list[str]:
    db.session.commit()
    return [option.key for option in product.options]


def test_a_product_gets_the_options_of_the_template(product: Product) -> None:
    option_templates.apply(ENGRAVED_GOODS, product)
    assert keys_of(product) == ["name", "color", "inscription", "phone", "location"]
    assert not any(option.is_required for option in product.options), "engraving is optional"
    option_templates.apply(GIFT_PACK, product)
    assert keys_of(product)[5:] == ["recipient", "suggestion"]


def test_applying_a_template_twice_adds_its_options_once(product: Product) -> None:
    assert len(option_templates.apply(GIFT_PACK, product)) == 5
    assert option_templates.apply(GIFT_PACK, product) == []
    assert len(keys_of(product)) == 5


def test_existing_options_stay_unchanged(product: Product, create_option: Callable[..., ProductOption]) -> None:
    create_option(product, "phone", OptionKind.TEXT, label="Extension", position=7)
    option_templates.apply(ENGRAVED_GOODS, product)
    db.session.commit()
    db.session.expire_all()
    assert keys_of(product) == ["phone", "name", "color", "inscription", "location"]
    assert (product.options[0].label, product.options[0].kind) == ("Extension", OptionKind.TEXT)


def test_a_product_with_several_colors_requires_a_choice(product: Product, bottle: Product) -> None:
    option_templates.apply(ENGRAVED_GOODS, product, ["Forest", "Clay"])
    option_templates.apply(ENGRAVED_GOODS, bottle)
    colors = [
        next(option for option in option_product.options if option.key == "color")
        for option_product in (product, bottle)
    ]
    assert [(color.choices, color.is_required) for color in colors] == [(["Forest", "Clay"], True), ([], False)]


def test_a_gift_pack_has_options_for_recipient_and_suggestion(product: Product) -> None:
    option_templates.apply(GIFT_PACK, product, ["Sky"])
    options = {option.key: option for option in product.options}
    assert options["recipient"].choices == ["Female", "Male"]
    assert options["suggestion"].label == "What would you like us to add to the gift box?"
    assert [key for key, option in options.items() if option.is_required] == ["name", "color"]


def test_every_template_fits_the_database_columns(create_product: Callable[..., Product]) -> None:
    for name, option_set in TEMPLATES.items():
        product = create_product(name)
        option_templates.apply(option_set, product, ["Red"])
        assert len(keys_of(product)) == len(option_set.options)
