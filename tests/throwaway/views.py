"""A page for staff, and its entry in the back office's menu."""

from flask import Blueprint, Flask

from tapcard.registry import Menu, MenuEntry, declare_menu_entries
from tapcard.web.access import access

bp = Blueprint("throwaway", __name__, url_prefix="/admin/notes", template_folder="templates")
declare_menu_entries(MenuEntry(Menu.BACK_OFFICE, "throwaway.notes", "Notes", 500, "sticky"))


def init_app(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(bp)


@bp.get("/")
@access("staff:notes.view")
def notes() -> str:
    """Show the notes."""
    return "the notes"
