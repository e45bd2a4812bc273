"""What a buyer may say about a product, checked by its kind; whatever was not asked for is refused."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ... import phones
from ...errors import DomainError
from ...errors import mark as _
from ...models import OptionKind, Product, ProductOption

FIELD = "option-"  # of the form: FIELD + the option's key
LONGEST = {OptionKind.TEXT: 100, OptionKind.LONG_TEXT: 1000, OptionKind.COLOR: 40, OptionKind.LOCATION: 100}
ALLOWED_CONTROLS = "\r\n\t"
QUOTED = 60  # characters of an answer that is told back


class BadAnswer(DomainError):
    """An answer is missing, too long, or none that was offered."""

    status = 422


class NotAsked(DomainError):
    """Something was said about a product that it does not ask."""

    status = 422


def clean(product: Product, answers: Mapping[str, str], uploads: Mapping[str, str], country: str) -> dict[str, str]:
    """The answers as they are stored, by the options' keys, without blank ones; raises `BadAnswer` or `NotAsked`.

    `uploads` holds the names of stored pictures: a picture is never an answer that somebody typed.
    """
    known = {option.key: option for option in product.options}
    strange = [*(answers.keys() - known.keys()), *(uploads.keys() - known.keys())]
    if strange:
        raise NotAsked(_("This product's options have changed. Go back to the product page and choose again."))
    values = {}
    for key, option in known.items():
        if option.kind is OptionKind.PICTURE and answers.get(key):
            raise NotAsked(_("This product's options have changed. Go back to the product page and choose again."))
        value = clean_one(option, answers.get(key, ""), uploads.get(key, ""), country)
        if value:
            values[key] = value
    return values


def clean_one(option: ProductOption, typed: str, upload: str, country: str) -> str:
    """One answer as it is stored, blank where there is none; raises `BadAnswer`."""
    value = upload if option.kind is OptionKind.PICTURE else _clean(option, typed, country)
    if not value and option.is_required:
        raise BadAnswer(_("Enter a value for “%(label)s”."), field=FIELD + option.key, label=option.label)
    return value


def _clean(option: ProductOption, typed: str, country: str) -> str:
    is_long = option.kind is OptionKind.LONG_TEXT
    text = typed.strip() if is_long else " ".join(typed.split())
    if not text:
        return ""
    field = FIELD + option.key
    allowed = ALLOWED_CONTROLS if is_long else ""
    if any(unicodedata.category(each) in ("Cc", "Cs", "Co") and each not in allowed for each in text):
        raise BadAnswer(_("This contains characters that aren't allowed here."), field=field)
    if option.kind is OptionKind.PHONE:
        return _phone(text, country, field)
    if option.choices:
        if text not in option.choices:
            raise BadAnswer(_("Choose one of the options."), field=field)
        return text
    longest = option.max_length or LONGEST.get(option.kind, 100)
    if len(text) > longest:
        raise BadAnswer(_("Enter %(most)d characters or fewer."), field=field, most=longest)
    return text


def _phone(text: str, country: str, field: str) -> str:
    try:
        return phones.clean(text, country) or ""
    except DomainError as error:
        raise BadAnswer(error.message, field=field, **error.params) from None


def validation_error(
    product: Product, values: Mapping[str, Any], pictures: Collection[str], country: str
) -> DomainError | None:
    """Why stored answers, `pictures` the uploads among them, do not fit what is asked today; None while they do."""
    known = {option.key: option for option in product.options}
    for key, value in values.items():
        if value and key not in known:
            if value in pictures:
                return NotAsked(_("This product no longer takes the image you uploaded."))
            return NotAsked(_("“%(answer)s” is no longer an option for this product."), answer=_shortened(value))
    for key, option in known.items():
        value = values.get(key) or ""
        if not value:
            if option.is_required:
                return BadAnswer(_("“%(label)s” is now required."), label=option.label)
        elif not _fits(option, value, pictures, country):
            if value in pictures or option.kind is OptionKind.PICTURE:
                return BadAnswer(_("“%(label)s” has changed. Choose again."), label=option.label)
            sentence = _("%(label)s: “%(answer)s” is no longer available.")
            return BadAnswer(sentence, label=option.label, answer=_shortened(value))
    return None


def _fits(option: ProductOption, value: str, pictures: Collection[str], country: str) -> bool:
    """Whether a stored answer is one that would be stored today."""
    if option.kind is OptionKind.PICTURE or value in pictures:
        return option.kind is OptionKind.PICTURE and value in pictures
    try:
        return _clean(option, value, country) == value
    except BadAnswer:
        return False


def _shortened(value: str) -> str:
    return value if len(value) <= QUOTED else f"{value[:QUOTED]}…"


def extra_amount(product: Product, values: Mapping[str, Any]) -> int:
    """What the answers cost more, for each piece."""
    return sum(option.extra_amount for option in product.options if values.get(option.key))


def in_words(product: Product, values: Mapping[str, Any]) -> list[dict[str, str]]:
    """The answers with the labels that were asked, to be kept with an order."""
    return [
        {"label": option.label, "value": str(values[option.key]), "kind": option.kind.value}
        for option in product.options
        if values.get(option.key)
    ]


def pictures_in(product: Product, values: Mapping[str, Any]) -> Sequence[str]:
    """The names of the uploads among the answers."""
    return [values[each.key] for each in product.options if each.kind is OptionKind.PICTURE and values.get(each.key)]
