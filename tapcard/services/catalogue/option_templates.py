"""Option templates: common sets of options, added to a product in one go."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...models import OptionKind, Product, ProductOption


@dataclass(frozen=True)
class OptionSpec:
    """An option of a template."""

    key: str
    kind: OptionKind
    label: str
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    is_required: bool = False


@dataclass(frozen=True)
class OptionTemplate:
    """A set of options for a kind of product."""

    name: str
    options: tuple[OptionSpec, ...]


ENGRAVED_GOODS = OptionTemplate(
    "Engraved goods",
    (
        OptionSpec("name", OptionKind.TEXT, "Name", 40),
        OptionSpec("color", OptionKind.COLOR, "Colour", 40),
        OptionSpec("inscription", OptionKind.LONG_TEXT, "Inscription", 120),
        OptionSpec("phone", OptionKind.PHONE, "Phone number to engrave, in case it's lost", 32),
        OptionSpec("location", OptionKind.LOCATION, "Town or city", 80),
    ),
)
GIFT_PACK = OptionTemplate(
    "Gift pack",
    (
        OptionSpec("name", OptionKind.TEXT, "Recipient's name", 60, is_required=True),
        OptionSpec("color", OptionKind.COLOR, "Colour", 40),
        OptionSpec("recipient", OptionKind.CHOICE, "Recipient", choices=("Female", "Male")),
        OptionSpec("location", OptionKind.LOCATION, "Town or city", 80),
        OptionSpec("suggestion", OptionKind.LONG_TEXT, "What would you like us to add to the gift box?", 500),
    ),
)
TEMPLATES = {"engraved_goods": ENGRAVED_GOODS, "gift_pack": GIFT_PACK}


def apply(template: OptionTemplate, product: Product, colors: Sequence[str] = ()) -> list[ProductOption]:
    """Append the options of a template that a product lacks, and return them.

    If the product comes in several colors, the color option is required and offers these.
    """
    existing = {option.key for option in product.options}
    position = 1 + max((option.position for option in product.options), default=-1)
    missing = [spec for spec in template.options if spec.key not in existing]
    added = [_option(spec, colors, position + index) for index, spec in enumerate(missing)]
    product.options.extend(added)
    return added


def _option(spec: OptionSpec, colors: Sequence[str], position: int) -> ProductOption:
    has_colors = spec.kind is OptionKind.COLOR and bool(colors)
    return ProductOption(
        key=spec.key,
        kind=spec.kind,
        label=spec.label,
        is_required=spec.is_required or has_colors,
        max_length=spec.max_length,
        choices=list(colors) if has_colors else list(spec.choices),
        position=position,
    )
