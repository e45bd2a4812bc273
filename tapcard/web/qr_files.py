"""Downloads of QR codes, optionally with the shop's logo."""

from flask import Response, abort, request

from .. import qr
from . import brand, filters


def qr_file(address: str, kind: str, *, name: str, title: str = "QR code") -> Response:
    """Return a code as an SVG or PNG download; `?logo=` adds the shop's logo."""
    if kind not in ("svg", "png"):
        abort(404)
    logo = shop_logo() if request.args.get("logo") else None
    if kind == "png":
        response = Response(qr.png(address, logo=logo), mimetype="image/png")
    else:
        response = Response(qr.svg(address, title=title, logo=logo), mimetype="image/svg+xml")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def shop_logo() -> qr.Logo:
    """Return the logo in the shop's colours, with a dark enough ink."""
    shop = filters.shop()
    colours = brand.palette(shop.brand_color, shop.ink_color)
    return qr.Logo(colours.brand, colours.ink) if colours else qr.Logo(brand.DEFAULT_BRAND, brand.DEFAULT_INK)
