"""Pages that staff write."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ..services.content import pages
from ..web.access import PUBLIC, access
from .blueprint import bp


@bp.get("/pages/<slug>")
@access(PUBLIC)
def page(slug: str) -> ResponseReturnValue:
    """Show a page that is published; one that stands in place of a page of ours is found there."""
    found = pages.get_published(slug)
    if slug in pages.BUILT_IN_PAGES:
        return redirect(url_for(pages.BUILT_IN_PAGES[slug]), 301)
    return render_template("shop/page.html", page=found, content=pages.render(found.body))


def written_or(template: str, slug: str) -> ResponseReturnValue:
    """What staff wrote in place of a page of ours, else ours."""
    found = pages.find_published(slug)
    if found is None:
        return render_template(template)
    return render_template("shop/page.html", page=found, content=pages.render(found.body))
