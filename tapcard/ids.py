"""Row ids and whole numbers in text that people or browsers send."""

MAX_ID_DIGITS = 18  # every number of so many digits fits a BIGINT column
MAX_ID = 2**63 - 1


def is_id(number: int) -> bool:
    """Return whether a number can be the id of a row, so that the database accepts it in a query."""
    return 0 < number <= MAX_ID


def parse_number(text: object, *, max_digits: int = MAX_ID_DIGITS) -> int | None:
    """Return the whole number written in ASCII digits, or None for anything else, including too many digits."""
    if not isinstance(text, str) or not (text.isascii() and text.isdigit() and len(text) <= max_digits):
        return None
    return int(text)


def parse_id(text: object) -> int | None:
    """Return the row id written in a text, or None if no row can have it."""
    return parse_number(text) or None
