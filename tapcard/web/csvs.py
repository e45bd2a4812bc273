"""CSV downloads, with protection against formula injection in spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
INVISIBLE = " \u00a0\u3000\ufeff\u200b"
BYTE_ORDER_MARK = "\ufeff"  # so that Excel reads UTF-8
CHUNK_SIZE = 16_384  # characters


def escape_formula(cell: object) -> str:
    """Return the text of a cell, with an apostrophe before what a spreadsheet would take for a formula."""
    text = ("" if cell is None else str(cell)).replace("\0", "")
    return f"'{text}" if text.lstrip(INVISIBLE)[:1] in FORMULA_STARTS else text


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a table as a CSV download; `name` is ASCII."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([escape_formula(cell) for cell in header])
    writer.writerows([escape_formula(cell) for cell in row] for row in rows)
    response = Response(BYTE_ORDER_MARK + out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_stream(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a table of any length as a streamed CSV download; `name` is ASCII."""
    response = Response(_lines(header, rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    out.write(BYTE_ORDER_MARK)
    writer.writerow([escape_formula(cell) for cell in header])
    for row in rows:
        writer.writerow([escape_formula(cell) for cell in row])
        if out.tell() > CHUNK_SIZE:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
