"""QR codes as files to print, with the shop's logo in them where it is wanted."""

from flask import Response, abort, request

from .. import qr
from . import brand, filters


def qr_file(address: str, kind: str, *, name: str, title: str = "QR code") -> Response:
    """A code as a download, SVG or PNG; with `?logo=` the shop's mark is in its middle."""
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
    """The mark in the shop's colours, its ink dark enough."""
    shop = filters.shop()
    colours = brand.palette(shop.brand_color, shop.ink_color)
    return qr.Logo(colours.brand, colours.ink) if colours else qr.Logo(brand.DEFAULT_BRAND, brand.DEFAULT_INK)
