"""What scripts of ours add to pages that work without them."""

import re
from pathlib import Path

import tapcard

APP_JS = Path(tapcard.__file__).parent / "static" / "js" / "app.js"


def test_a_press_does_one_thing() -> None:
    bound = re.findall(r'\bon\("(\w+)", "([^"]+)"', APP_JS.read_text())
    assert ("click", "[data-print]") in bound
    assert len(bound) == len(set(bound)), "a button that is bound twice acts twice"
