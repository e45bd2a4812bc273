"""Wording: removed phrases and one spelling for each word."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tapcard

FOLDER = Path(tapcard.__file__).parent
SUFFIXES = {".py", ".html", ".txt", ".js"}

# phrases that were replaced by plain English
GIVEN_UP = [
    "We get it ready",
    "write again when it is on its way",
    "The recipient is",
    "to find its way back",
    "The code counts",
    "We do not know this code",
    "Reroute URL needed",
    "Everybody else reads",
    "Please check what you typed",
    "Who and where",
    "Go on to pay",
    "Do you collect it?",
    "Say so below",
    "We send the order there",
    "You need no account",
    "whoever brings it",
    "This is no postal code",
    "Rehearsal",
    "plays the payment",
    "No money moves",
    "As soon as we hear",
    "the money is there",
    "What happened</",
    '("It is paid',
    "Nothing fits",
    "No product has all of that",
    "3 things",
    "%(num)s things",
    "%(number)s things",
    "Look into your mail",
    "Whoever knows your password",
    "Its holder misses it",
    "show you nothing about them",
    "How to book them",
    "Where to praise them",
    "Nothing to see to",
    "is not entered",
    "what is sold while you type",
    "nobody counts",
    "Make the product",
    "Came in today",
    "Give the card back",
    "Cards are not sold on this site yet",
    "We can't find that",
    "letters and digits",
    "letters, digits",
    "within seven days",
    "after seven days",
    "bank check",
    "call or write",
    "a card you offered",
    "Turn it on and",
    "This host isn't",
    "This card is being set up",
    "Claim codes of order",
    "QR code of card",
    "Back to order",
]

# what the guides once said
GIVEN_UP_IN_GUIDES = [
    r"\bfor ever\b",
    r"\bsomebody\b",
    r"\bwhoever\b",
    r"\bnobody\b(?! can| needs)",
    r"\bat once\b",
    r"\bby itself\b",
    r"\bby themselves\b",
    r"\bswitch(ed|es)? (it )?(on|off)\b",
    r"\bgiven up\b",
    r"\bholder'?s?\b(?!/index)",
    r"\bthe goods\b",
    r"\b(cannot|does not|is not|are not|do not)\b",
]

# labels that are wrong on their own, but allowed within longer ones
WRONG_LABELS = ["Look", "Choose", "What happened", "Shelves", "Go back"]

# one spelling each
WRONG_SPELLINGS = {
    r"\be-mail": "email",
    r"\bpost code\b": "postcode",
    r"\b(you|please|then|first) login\b": "log in, as a verb",
    r"\blog[ -]in (page|details|form|data)\b": "login, as a noun",
    r"\b(you|please|then|first) signup\b": "sign up, as a verb",
    r"\d %%? off\b": "10% off",
    r"%\)s %% off\b": "10% off",
    r"\}\}? % off\b": "10% off",
    r"\w’\w": "a straight apostrophe",
}


def sources() -> Iterator[Path]:
    """Yield every source file with text."""
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in SUFFIXES and "vendor" not in path.parts and not path.name.endswith(".min.js"):
            yield path


def words_of(path: Path) -> str:
    """Return the text of a file on one line, so that phrases match across line ends."""
    return " ".join(path.read_text(encoding="utf-8").split())


def strings(path: Path) -> Iterator[str]:
    """Yield the strings of a Python file including docstrings, or the text of another file."""
    if path.suffix != ".py":
        yield words_of(path)
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Return the text of every file by its path."""
    return {str(path.relative_to(FOLDER)): words_of(path) for path in sources()}


@pytest.mark.parametrize("phrase", GIVEN_UP)
def test_removed_phrases_are_not_used(texts: dict[str, str], phrase: str) -> None:
    assert [path for path, text in texts.items() if phrase.lower() in text.lower()] == []


@pytest.mark.parametrize("label", WRONG_LABELS)
def test_wrong_labels_are_not_used(texts: dict[str, str], label: str) -> None:
    marked = re.compile(rf"""\b(?:_|mark|gettext)\(\s*["']{re.escape(label)}["']""")
    assert [path for path, text in texts.items() if marked.search(text)] == []


@pytest.mark.parametrize("pattern", WRONG_SPELLINGS)
def test_each_word_has_one_spelling(pattern: str) -> None:
    wrong = re.compile(pattern, re.IGNORECASE)
    matches = [
        (str(path.relative_to(FOLDER)), match.group())
        for path in sources()
        for text in strings(path)
        for match in wrong.finditer(text)
    ]
    assert matches == [], f"write {WRONG_SPELLINGS[pattern]}"


@pytest.mark.parametrize("pattern", GIVEN_UP_IN_GUIDES)
def test_a_guide_is_written_in_plain_english(pattern: str) -> None:
    root = FOLDER.parent
    guides = [root / "README.md", *(root / "docs").glob("*.md")]
    guides += [path for name in ("operator", "shop-owner", "holder") for path in (root / "docs" / name).glob("*.md")]
    assert len(guides) > 20
    wrong = re.compile(pattern, re.IGNORECASE)
    found = [(path.name, match.group()) for path in guides for match in wrong.finditer(words_of(path))]
    assert found == []


def test_a_subject_does_not_start_with_the_shop_name() -> None:
    for path in sorted((FOLDER / "templates" / "mail").glob("*/subject.txt")):
        assert not path.read_text(encoding="utf-8").startswith("{{ shop.shop_name }}"), path.parent.name


def test_every_email_to_a_customer_says_how_to_reach_the_shop() -> None:
    to_the_shop = {"payment_needs_care"}
    for path in sorted((FOLDER / "templates" / "mail").glob("*/body.txt")):
        if path.parent.name not in to_the_shop:
            assert path.read_text(encoding="utf-8").rstrip().endswith('{% include "mail/_footer.txt" %}'), (
                path.parent.name
            )
