"""Tables as files for spreadsheets, whose programs take some cells for formulas."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
INVISIBLE = " \u00a0\u3000\ufeff\u200b"
BYTE_ORDER_MARK = "\ufeff"  # or Excel takes the text for another encoding
CHUNK = 16_384  # characters that are sent at once


def neutral(cell: object) -> str:
    """A cell that no spreadsheet calculates: an apostrophe goes before what looks like a formula."""
    text = ("" if cell is None else str(cell)).replace("\0", "")
    return f"'{text}" if text.lstrip(INVISIBLE)[:1] in FORMULA_STARTS else text


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A table as a download; `name` is plain ASCII."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([neutral(cell) for cell in header])
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    response = Response(BYTE_ORDER_MARK + out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_stream(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The same for a table of any length, written row by row while it is sent."""
    response = Response(_lines(header, rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    out.write(BYTE_ORDER_MARK)
    writer.writerow([neutral(cell) for cell in header])
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])
        if out.tell() > CHUNK:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
