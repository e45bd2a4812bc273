"""Slugs: made from names, and recognized."""

import pytest

from tapcard.slugs import is_slug, slugify


@pytest.mark.parametrize(
    ("text", "slug"),
    [("Steel bottle", "steel-bottle"), ("Café Olé", "cafe-ole"), ("Ada’s & Ben's", "adas-bens"), ("  --  ", ""),
     ("名前", ""), ("a" * 9 + " bcd", "aaaaaaaaa")],
)  # fmt: skip
def test_a_slug_is_made_from_a_name(text: str, slug: str) -> None:
    assert slugify(text, 10 if slug.startswith("aaa") else 50) == slug
    assert not slug or is_slug(slug, 50)


@pytest.mark.parametrize("text", ["", "-a", "a-", "a--b", "A", "é", "a b", "a/b", "a\n", "x" * 51])
def test_other_text_is_no_slug(text: str) -> None:
    assert not is_slug(text, 50)
