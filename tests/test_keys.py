"""Keys derived from the secret: encryption, keyed hashes, signatures; former secrets still work."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from tapcard.keys import Keys, split_link

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
def test_encrypted_text_can_be_decrypted(old: Keys, text: str) -> None:
    sealed = old.encrypt(text)
    assert sealed.isascii()
    assert old.decrypt(sealed) == text


def test_encrypting_a_text_twice_gives_different_results(old: Keys) -> None:
    assert old.encrypt("CARD2345") != old.encrypt("CARD2345")


def test_an_encrypted_claim_code_fits_its_column(old: Keys) -> None:
    assert len(old.encrypt("CARD2345")) <= 255


@pytest.mark.parametrize("sealed", ["", "nonsense", "é", "gAAAAA=="])
def test_text_that_was_not_encrypted_here_cannot_be_decrypted(old: Keys, sealed: str) -> None:
    assert old.decrypt(sealed) is None


def test_changed_ciphertext_cannot_be_decrypted(old: Keys) -> None:
    sealed = old.encrypt("CARD2345")
    place = len(sealed) // 2
    other_character = "A" if sealed[place] != "A" else "B"
    assert old.decrypt(sealed[:place] + other_character + sealed[place + 1 :]) is None


def test_another_secret_neither_decrypts_nor_verifies(old: Keys) -> None:
    other_keys = Keys(NEW)
    assert other_keys.decrypt(old.encrypt("CARD2345")) is None
    assert other_keys.unsign_me(old.sign_me(7)) is None
    assert other_keys.digest("code", "CARD2345") != old.digest("code", "CARD2345")


def test_a_former_secret_still_decrypts_and_verifies(old: Keys, rotated: Keys) -> None:
    assert rotated.decrypt(old.encrypt("CARD2345")) == "CARD2345"
    assert rotated.unsign_me(old.sign_me(7)) == 7
    assert old.digest("code", "CARD2345") in rotated.digests("code", "CARD2345")


def test_the_newest_secret_encrypts_and_signs(rotated: Keys) -> None:
    newest = Keys(NEW)
    assert newest.decrypt(rotated.encrypt("CARD2345")) == "CARD2345"
    assert newest.unsign_me(rotated.sign_me(7)) == 7
    assert rotated.digest("code", "CARD2345") == newest.digest("code", "CARD2345")
    assert rotated.digests("code", "x")[0] == newest.digest("code", "x")


def test_a_removed_secret_neither_decrypts_nor_verifies(old: Keys, rotated: Keys) -> None:
    assert old.decrypt(rotated.encrypt("CARD2345")) is None
    assert old.unsign_me(rotated.sign_me(7)) is None


def test_each_purpose_has_its_own_key(old: Keys) -> None:
    assert old.digest("code", "x") != old.digest("throttle", "x")
    assert len(old.digest("code", "x")) == 64


def test_ciphertext_and_hashes_do_not_contain_the_text(old: Keys) -> None:
    assert "CARD2345" not in old.encrypt("CARD2345") + old.digest("code", "CARD2345")


@given(user_id=st.integers(1, 2**63 - 1))
@quick
def test_the_me_cookie_identifies_its_user(old: Keys, user_id: int) -> None:
    value = old.sign_me(user_id)
    assert len(value) <= 200, "longer values would be truncated"
    assert old.unsign_me(value) == user_id


@pytest.mark.parametrize(
    "value", [None, "", ".", "7", "7.", ".x", "7.forged", "x" * 200, "é.é", "\0", "\ud800", "7.7.7"]
)
def test_an_invented_me_cookie_identifies_no_user(old: Keys, value: str | None) -> None:
    assert old.unsign_me(value) is None


def test_a_changed_me_cookie_identifies_no_user(old: Keys) -> None:
    value = old.sign_me(7)
    assert old.unsign_me("8" + value[1:]) is None
    assert old.unsign_me(value[:-1] + ("A" if value[-1] != "A" else "B")) is None
    assert old.unsign_me(value[:-4]) is None
    assert old.unsign_me(value + "A") is None


def test_a_signed_value_is_valid_only_for_its_purpose(old: Keys) -> None:
    token = old.sign("kept-picture", ["ada", 7])
    assert old.unsign("kept-picture", token, timedelta(hours=1)) == ["ada", 7]
    assert old.unsign("kept-picture", token) == ["ada", 7]
    assert old.unsign("profile-photo", token) is None


def test_a_signed_value_expires(old: Keys) -> None:
    token = old.sign("kept-picture", 7)
    assert old.unsign("kept-picture", token, timedelta(seconds=-1)) is None


@pytest.mark.parametrize("token", [None, 7, "", ".", "x.y.z", "\0", "é", ["a"]])
def test_an_invented_token_is_invalid(old: Keys, token: object) -> None:
    assert old.unsign("stamp contact", token) is None
    assert old.unsign("stamp contact", token, timedelta(hours=1)) is None


def test_a_former_secret_still_verifies_tokens(old: Keys, rotated: Keys) -> None:
    assert rotated.unsign("stamp contact", old.sign("stamp contact", 7)) == 7
    assert Keys(NEW).unsign("stamp contact", rotated.sign("stamp contact", 7)) == 7
    assert old.unsign("stamp contact", rotated.sign("stamp contact", 7)) is None


def test_tokens_of_the_previous_version_still_work(old: Keys) -> None:
    """Forms opened before an upgrade carry tokens of plain itsdangerous serializers under the secret itself."""
    assert old.unsign("kept-picture", URLSafeTimedSerializer([OLD], salt="kept-picture").dumps([1]), timedelta(1)) == [
        1
    ]
    assert old.unsign("stamp contact", URLSafeSerializer([OLD], salt="stamp contact").dumps([1.5])) == [1.5]


def test_a_token_without_a_time_is_invalid_where_an_age_is_required(old: Keys) -> None:
    token = URLSafeSerializer([OLD], salt="kept-picture").dumps([1])
    assert old.unsign("kept-picture", token, timedelta(days=1)) is None


def test_links_emailed_by_the_previous_version_still_work(old: Keys, rotated: Keys) -> None:
    token = f"TC-1234-{old.digest('order link', 'TC-1234')}"
    assert old.sign_link("order link", "TC-1234") == token
    reference, digest = split_link(token)
    assert reference == "TC-1234"
    assert rotated.verify_link("order link", digest, reference)
    assert not rotated.verify_link("order link", digest, "TC-1235")
    assert not rotated.verify_link("weekly mail", digest, reference)


def test_a_link_is_invalid_after_its_text_changes(old: Keys) -> None:
    reference, digest = split_link(old.sign_link("newsletter confirm", "5", "5:ada@example.com"))
    assert reference == "5"
    assert old.verify_link("newsletter confirm", digest, "5:ada@example.com")
    assert not old.verify_link("newsletter confirm", digest, "5:cleo@example.com")
    assert not old.verify_link("newsletter confirm", "é", "5")
