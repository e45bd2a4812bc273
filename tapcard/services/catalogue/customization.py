"""Answers to a product's options, validated by the kind of option."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ... import phones
from ...errors import DomainError
from ...errors import mark as _
from ...models import OptionKind, Product, ProductOption

FIELD_PREFIX = "option-"  # of a form field; the key of the option follows
MAX_LENGTHS = {OptionKind.TEXT: 100, OptionKind.LONG_TEXT: 1000, OptionKind.COLOR: 40, OptionKind.LOCATION: 100}
ALLOWED_CONTROLS = "\r\n\t"
MAX_QUOTE_LENGTH = 60  # of an answer in an error message


class InvalidAnswer(DomainError):
    """An answer is missing, too long, or not one of the choices."""

    status = 422


class UnknownOption(DomainError):
    """The product has no option of that key, or not of that kind."""

    status = 422


def clean_answers(
    product: Product, answers: Mapping[str, str], uploads: Mapping[str, str], country: str
) -> dict[str, str]:
    """Return the non-blank answers as they are stored, by option key; raise `InvalidAnswer` or `UnknownOption`.

    `uploads` holds the names of stored pictures; a typed answer never names a picture.
    """
    options_by_key = {option.key: option for option in product.options}
    unknown = [*(answers.keys() - options_by_key.keys()), *(uploads.keys() - options_by_key.keys())]
    if unknown:
        raise UnknownOption(_("This product's options have changed. Go back to the product page and choose again."))
    values = {}
    for key, option in options_by_key.items():
        if option.kind is OptionKind.PICTURE and answers.get(key):
            raise UnknownOption(_("This product's options have changed. Go back to the product page and choose again."))
        value = clean_answer(option, answers.get(key, ""), uploads.get(key, ""), country)
        if value:
            values[key] = value
    return values


def clean_answer(option: ProductOption, answer: str, upload: str, country: str) -> str:
    """Return an answer as it is stored, or an empty string; raise `InvalidAnswer`."""
    value = upload if option.kind is OptionKind.PICTURE else _clean(option, answer, country)
    if not value and option.is_required:
        message = _("Choose an option for “%(label)s”.") if option.choices else _("Enter a value for “%(label)s”.")
        raise InvalidAnswer(message, field=FIELD_PREFIX + option.key, label=option.label)
    return value


def _clean(option: ProductOption, answer: str, country: str) -> str:
    is_long = option.kind is OptionKind.LONG_TEXT
    text = answer.strip() if is_long else " ".join(answer.split())
    if not text:
        return ""
    field = FIELD_PREFIX + option.key
    allowed = ALLOWED_CONTROLS if is_long else ""
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co") and char not in allowed for char in text):
        raise InvalidAnswer(_("This contains characters that aren't allowed here."), field=field)
    if option.kind is OptionKind.PHONE:
        return _phone(text, country, field)
    if option.choices:
        if text not in option.choices:
            raise InvalidAnswer(_("Choose one of the options."), field=field)
        return text
    max_length = option.max_length or MAX_LENGTHS.get(option.kind, 100)
    if len(text) > max_length:
        raise InvalidAnswer(_("Enter %(most)d characters or fewer."), field=field, most=max_length)
    return text


def _phone(text: str, country: str, field: str) -> str:
    try:
        return phones.clean(text, country) or ""
    except DomainError as error:
        raise InvalidAnswer(error.message, field=field, **error.params) from None


def validation_error(
    product: Product, values: Mapping[str, Any], pictures: Collection[str], country: str
) -> DomainError | None:
    """Return why stored answers are no longer valid for the product's options, or None; `pictures` are the uploads."""
    options_by_key = {option.key: option for option in product.options}
    for key, value in values.items():
        if value and key not in options_by_key:
            if value in pictures:
                return UnknownOption(_("This product no longer takes the image you uploaded."))
            return UnknownOption(_("“%(answer)s” is no longer an option for this product."), answer=_truncated(value))
    for key, option in options_by_key.items():
        value = values.get(key) or ""
        if not value:
            if option.is_required:
                return InvalidAnswer(_("“%(label)s” is now required."), label=option.label)
        elif not _is_valid(option, value, pictures, country):
            if value in pictures or option.kind is OptionKind.PICTURE:
                return InvalidAnswer(_("“%(label)s” has changed. Choose again."), label=option.label)
            sentence = _("%(label)s: “%(answer)s” is no longer available.")
            return InvalidAnswer(sentence, label=option.label, answer=_truncated(value))
    return None


def _is_valid(option: ProductOption, value: str, pictures: Collection[str], country: str) -> bool:
    """Return whether a stored answer would still be stored as it is."""
    if option.kind is OptionKind.PICTURE or value in pictures:
        return option.kind is OptionKind.PICTURE and value in pictures
    try:
        return _clean(option, value, country) == value
    except InvalidAnswer:
        return False


def _truncated(value: str) -> str:
    return value if len(value) <= MAX_QUOTE_LENGTH else f"{value[:MAX_QUOTE_LENGTH]}…"


def extra_amount(product: Product, values: Mapping[str, Any]) -> int:
    """Return the extra price of the answers per item, in minor units."""
    return sum(option.extra_amount for option in product.options if values.get(option.key))


def labeled_answers(product: Product, values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the answers with the labels of their options, as an order stores them."""
    return [
        {"label": option.label, "value": str(values[option.key]), "kind": option.kind.value}
        for option in product.options
        if values.get(option.key)
    ]


def picture_answers(product: Product, values: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of the uploads among the answers."""
    pictures = [option for option in product.options if option.kind is OptionKind.PICTURE]
    return [values[option.key] for option in pictures if values.get(option.key)]
