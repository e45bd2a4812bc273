"""Check that built pages load nothing from other hosts: `python docs/check_pages.py FOLDER`."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

LOADING = {  # the attributes a browser follows without being asked
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
}
FROM_ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])(?:https?:)?//[^)'\"\s]+", re.IGNORECASE)


class Loads(HTMLParser):
    """Collect what a page loads from other hosts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes of one element."""
        for name, value in attrs:
            if name in LOADING.get(tag, ()) and FROM_ELSEWHERE.match((value or "").strip()):
                self.found.append(f"<{tag} {name}={value}>")
            elif name == "style":
                self.found += IN_STYLE.findall(value or "")


def third_party_loads(text: str, suffix: str) -> list[str]:
    """Return what a page (`.html`) or style sheet (`.css`) loads from other hosts."""
    found = IN_STYLE.findall(text)
    if suffix == ".html":
        page = Loads()
        page.feed(text)
        found += page.found
    return found


def main(folder: Path) -> int:
    """Print every load from another host; return 1 if there is one or if there are no pages."""
    pages = sorted(path for path in folder.rglob("*") if path.suffix in (".html", ".css"))
    count = 0
    for path in pages:
        for load in third_party_loads(path.read_text(encoding="utf-8"), path.suffix):
            print(f"{path.relative_to(folder)}: {load}")
            count += 1
    if not pages:
        print(f"There are no pages in {folder}.")
    return 1 if count or not pages else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
