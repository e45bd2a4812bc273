"""Public pages that staff write."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ..services.content import pages
from ..web.access import PUBLIC, access
from .blueprint import bp


@bp.get("/pages/<slug>", endpoint="page")
@access(PUBLIC)
def show_page(slug: str) -> ResponseReturnValue:
    """Show a published page; one that replaces a built-in page redirects to that page's URL."""
    page = pages.get_published(slug)
    if slug in pages.BUILT_IN:
        return redirect(url_for(pages.BUILT_IN[slug]), 301)
    return render_template("shop/page.html", page=page, content=pages.render(page.body))


def page_or_built_in(slug: str, template: str) -> ResponseReturnValue:
    """Render the page of staff that replaces a built-in page, or else the built-in template."""
    page = pages.find_published(slug)
    if page is None:
        return render_template(template)
    return render_template("shop/page.html", page=page, content=pages.render(page.body))
