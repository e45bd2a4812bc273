"""Row ids and whole numbers in text."""

import pytest

from tapcard.ids import is_id, parse_id, parse_number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1.0", "1e3", "x", "١", "²", "1_000", None, 7, "1" * 19])
def test_text_that_is_not_a_whole_number_is_refused(text: object) -> None:
    assert parse_number(text) is None
    assert parse_id(text) is None


def test_a_whole_number_is_parsed() -> None:
    assert parse_number("0") == 0
    assert parse_number("007") == 7
    assert parse_number("123456", max_digits=5) is None


def test_a_parsed_id_always_fits_the_database() -> None:
    assert parse_id("9" * 18) == 10**18 - 1
    assert parse_id("0") is None
    assert is_id(1)
    assert is_id(2**63 - 1)
    assert not is_id(0)
    assert not is_id(2**63)
