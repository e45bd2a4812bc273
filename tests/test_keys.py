"""Keys derived from the secret: sealed texts, keyed hashes, the cookie that says it is me; old secrets still open."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapcard.keys import Keys

OLD, NEW = "the old secret, long enough for a test", "the new secret, long enough for a test"
quick = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def old() -> Keys:
    return Keys(OLD)


@pytest.fixture(scope="module")
def rotated() -> Keys:
    return Keys(NEW, [OLD])


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@quick
def test_what_is_sealed_opens_again(old: Keys, text: str) -> None:
    sealed = old.encrypt(text)
    assert sealed.isascii()
    assert old.decrypt(sealed) == text


def test_the_same_text_is_sealed_differently_each_time(old: Keys) -> None:
    assert old.encrypt("CARD2345") != old.encrypt("CARD2345")


def test_a_claim_code_fits_into_its_column_when_sealed(old: Keys) -> None:
    assert len(old.encrypt("CARD2345")) <= 255


@pytest.mark.parametrize("sealed", ["", "nonsense", "é", "gAAAAA=="])
def test_what_was_not_sealed_here_does_not_open(old: Keys, sealed: str) -> None:
    assert old.decrypt(sealed) is None


def test_what_was_changed_does_not_open(old: Keys) -> None:
    sealed = old.encrypt("CARD2345")
    place = len(sealed) // 2
    other = "A" if sealed[place] != "A" else "B"
    assert old.decrypt(sealed[:place] + other + sealed[place + 1 :]) is None


def test_another_secret_opens_nothing(old: Keys) -> None:
    other = Keys(NEW)
    assert other.decrypt(old.encrypt("CARD2345")) is None
    assert other.read_me(old.sign_me(7)) is None
    assert other.digest("code", "CARD2345") != old.digest("code", "CARD2345")


def test_a_former_secret_still_opens_what_it_sealed(old: Keys, rotated: Keys) -> None:
    assert rotated.decrypt(old.encrypt("CARD2345")) == "CARD2345"
    assert rotated.read_me(old.sign_me(7)) == 7
    assert old.digest("code", "CARD2345") in rotated.digests("code", "CARD2345")


def test_new_things_are_made_with_the_newest_secret(rotated: Keys) -> None:
    newest = Keys(NEW)
    assert newest.decrypt(rotated.encrypt("CARD2345")) == "CARD2345"
    assert newest.read_me(rotated.sign_me(7)) == 7
    assert rotated.digest("code", "CARD2345") == newest.digest("code", "CARD2345")
    assert rotated.digests("code", "x")[0] == newest.digest("code", "x")


def test_a_secret_that_is_no_longer_listed_opens_nothing(old: Keys, rotated: Keys) -> None:
    assert old.decrypt(rotated.encrypt("CARD2345")) is None
    assert old.read_me(rotated.sign_me(7)) is None


def test_each_purpose_has_a_key_of_its_own(old: Keys) -> None:
    assert old.digest("code", "x") != old.digest("throttle", "x")
    assert len(old.digest("code", "x")) == 64


def test_a_hash_tells_nothing_without_the_key(old: Keys) -> None:
    assert "CARD2345" not in old.encrypt("CARD2345") + old.digest("code", "CARD2345")


@given(user_id=st.integers(1, 2**63 - 1))
@quick
def test_the_cookie_says_who_it_is(old: Keys, user_id: int) -> None:
    value = old.sign_me(user_id)
    assert len(value) <= 200, "a longer one would be cut"
    assert old.read_me(value) == user_id


@pytest.mark.parametrize(
    "value", [None, "", ".", "7", "7.", ".x", "7.forged", "x" * 200, "é.é", "\0", "\ud800", "7.7.7"]
)
def test_a_cookie_that_was_made_up_says_nothing(old: Keys, value: str | None) -> None:
    assert old.read_me(value) is None


def test_a_cookie_that_was_changed_says_nothing(old: Keys) -> None:
    value = old.sign_me(7)
    assert old.read_me("8" + value[1:]) is None
    assert old.read_me(value[:-1] + ("A" if value[-1] != "A" else "B")) is None
    assert old.read_me(value[:-4]) is None
    assert old.read_me(value + "A") is None
