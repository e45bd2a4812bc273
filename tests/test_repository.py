"""The repository contains no secrets, pictures of customers or logins besides the demo (H21)."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\b[sr]k_live_[A-Za-z0-9]{16,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{35}\b"
    r"|://[^\s/:@\"'{}<>$]+:(?!password@|secret@|pass@|\*+@)[^\s/:@\"'{}<>$%]{6,}@(?!localhost|127\.|example|db[:/]|/)"
)
PRIVATE = re.compile(
    r"(^|/)(\.env(\.(?!example)[a-z]+)?|id_rsa|id_ed25519|[^/]*\.(pem|p12|pfx|key|sqlite3?|db|dump|eml))$|^instance/|(^|/)uploads/"
)
PHOTO = re.compile(r"\.(jpe?g|heic|webp|gif|tiff?)$", re.IGNORECASE)
DRAWN = ("docs/images/", "tapcard/static/")  # created by commands of this repository


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_of_an_installation_is_tracked() -> None:
    assert [name for name in tracked() if PRIVATE.search(name)] == []


def test_only_own_drawings_are_tracked_as_images() -> None:
    pictures = [name for name in tracked() if PHOTO.search(name) or name.lower().endswith(".png")]
    assert [name for name in pictures if not name.startswith(DRAWN) and not name.startswith("tests/")] == []


def test_no_file_contains_a_secret() -> None:
    secrets = []
    for name in tracked():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        secrets += [f"{name}: {match[0][:12]}…" for match in SECRETS.finditer(text)]
    assert secrets == []
