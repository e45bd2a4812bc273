"""Option sets: what buyers are commonly asked about a kind of product, put on a product in one go."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...models import OptionKind, Product, ProductOption


@dataclass(frozen=True)
class Question:
    """One option as a set has it, before it belongs to a product."""

    key: str
    kind: OptionKind
    label: str
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    is_required: bool = False


@dataclass(frozen=True)
class OptionSet:
    """Questions that belong together."""

    name: str
    questions: tuple[Question, ...]


ENGRAVED_GOODS = OptionSet(
    "Engraved goods",
    (
        Question("name", OptionKind.TEXT, "Name", 40),
        Question("color", OptionKind.COLOR, "Colour", 40),
        Question("inscription", OptionKind.LONG_TEXT, "Inscription", 120),
        Question("phone", OptionKind.PHONE, "Phone number to engrave, in case it's lost", 32),
        Question("location", OptionKind.LOCATION, "Town or city", 80),
    ),
)
GIFT_PACK = OptionSet(
    "Gift pack",
    (
        Question("name", OptionKind.TEXT, "Recipient's name", 60, is_required=True),
        Question("color", OptionKind.COLOR, "Colour", 40),
        Question("recipient", OptionKind.CHOICE, "Recipient", choices=("Female", "Male")),
        Question("location", OptionKind.LOCATION, "Town or city", 80),
        Question("suggestion", OptionKind.LONG_TEXT, "What would you like us to add to the gift box?", 500),
    ),
)
SETS = {"engraved_goods": ENGRAVED_GOODS, "gift_pack": GIFT_PACK}


def apply(option_set: OptionSet, product: Product, colors: Sequence[str] = ()) -> list[ProductOption]:
    """Put the questions of a set that a product does not ask yet behind those it asks; return the new options.

    Where the product comes in some colours, one of them must be chosen.
    """
    asked = {option.key for option in product.options}
    place = 1 + max((option.position for option in product.options), default=-1)
    missing = [question for question in option_set.questions if question.key not in asked]
    added = [_option(question, colors, place + number) for number, question in enumerate(missing)]
    product.options.extend(added)
    return added


def _option(question: Question, colors: Sequence[str], position: int) -> ProductOption:
    has_colors = question.kind is OptionKind.COLOR and bool(colors)
    return ProductOption(
        key=question.key,
        kind=question.kind,
        label=question.label,
        is_required=question.is_required or has_colors,
        max_length=question.max_length,
        choices=list(colors) if has_colors else list(question.choices),
        position=position,
    )
