"""QR codes, drawn here: black on white with the quiet zone that readers need, error level M or better."""

import io

import segno

QUIET_ZONE = 4


def svg(url: str, *, title: str = "QR code", scale: int = 4) -> str:
    """Draw a code as an SVG element that stands in a page or in a file of its own; `title` may be anybody's text."""
    code = _make(url)
    out = io.BytesIO()
    code.save(
        out,
        kind="svg",
        border=QUIET_ZONE,
        dark="#000",
        light="#fff",
        title=title,
        xmldecl=False,
        omitsize=True,
        svgclass=None,
        lineclass=None,
        nl=False,
    )
    width, height = code.symbol_size(scale=scale, border=QUIET_ZONE)
    drawn = out.getvalue().decode()
    return drawn.replace("<svg ", f'<svg role="img" width="{width}" height="{height}" ', 1)


def png(url: str, scale: int = 10) -> bytes:
    """Draw a code as a picture of `scale` pixels a module."""
    out = io.BytesIO()
    _make(url).save(out, kind="png", border=QUIET_ZONE, dark="#000", light="#fff", scale=scale)
    return out.getvalue()


def _make(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="m")
