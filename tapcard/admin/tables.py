"""Read-only tables of cards, designs, emails and the audit log, served by Flask-Admin."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask, abort, request, url_for
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user

from .. import mail, registry, search_text
from ..db import db
from ..ids import parse_id
from ..models import AuditEntry, Card, OutboxMessage, Target
from ..web import filters, paging
from ..web.access import PUBLIC, Rule, access, needs_two_factor_setup, staff

LAST_PAGE = 100_000

TARGETS = {Target.URL: _("Web address"), Target.PROFILE: _("Profile"), Target.EVENT: _("Event")}


class Guarded:
    """A view of Flask-Admin that its access rule guards."""

    access: Rule

    def is_accessible(self) -> bool:
        """Tell whether the visitor's role allows the view."""
        return self.access.admits(current_user) and not needs_two_factor_setup()

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Refuse a visitor whose role doesn't allow the view."""
        return self.access.refusal()


class StaffView(Guarded, ModelView):
    """A searchable list for staff with the permission; everyone else gets a 404 page."""

    search_hint = ""
    title_column = "id"
    labeled_columns: tuple[str, ...] = ()  # whose values are shown with their labels on phones
    can_create = can_edit = can_delete = False
    can_view_details = True
    page_size = 50
    can_set_page_size = False
    simple_list_pager = True  # no full count
    action_disallowed_list = ("delete",)
    list_template = "admin/list.html"
    details_template = "admin/details.html"
    column_type_formatters = {
        type(None): lambda _view, _value, _name: "–",
        bool: lambda _view, value, _name: _("Yes") if value else _("No"),
        datetime: lambda _view, value, _name: filters.write_datetime(value),
        enum.StrEnum: lambda _view, value, _name: filters.label_or_value(value),
    }
    column_type_formatters_detail = column_type_formatters

    def _get_list_extra_args(self) -> Any:
        """Return page number and search text of the query string, within their limits."""
        args = super()._get_list_extra_args()
        args.page = min(max(args.page or 0, 0), LAST_PAGE)
        if args.search:
            args.search = "".join(letter for letter in args.search if letter.isprintable())[:100]
        return args

    def get_query(self) -> Any:
        """Return the rows of the list: those before `?before=` unless another order is chosen."""
        query = super().get_query()
        return query if "sort" in request.args else paging.rows_before(query, self.model.id)

    def link(self, search: str | None, **arguments: Any) -> str:
        """Return the URL of the list in its default order."""
        return url_for(".index_view", search=search or None, **arguments)

    def _apply_search(self, query: Any, count_query: Any, joins: Any, count_joins: Any, search: str) -> Any:
        """Find rows whose searchable columns together contain every word."""
        columns = []
        for field, path in self._search_fields:
            query, joins, alias = self._apply_path_joins(query, joins, path, inner_join=False)
            columns.append(field if alias is None else getattr(alias, field.key))
        condition = sa.or_(search_text.matches(search, *columns), self.matches_label(search))
        return query.filter(condition), count_query, joins, count_joins

    def matches_label(self, search: str) -> sa.ColumnElement[bool]:
        """Return the condition that the label of a row contains every word of a search."""
        return sa.false()

    def get_one(self, id: Any) -> Any:  # noqa: A002  Flask-Admin names the parameter
        """Return a row by its id, or None if the text isn't an id."""
        return super().get_one(id) if parse_id(str(id)) is not None else None

    def title_of(self, row: Any) -> str:
        """Return the heading of a row's page."""
        return str(getattr(row, self.title_column))


class CardView(StaffView):
    """Cards by token, alias, owner, design, batch."""

    access = staff("cards.view")
    search_hint = _("Token, name, owner, design or batch")
    title_column = "token"
    column_list = ("token", "alias", "owner.email", "design.name", "status", "target", "batch.name", "created_at")
    column_labels = {
        "alias": _("Name"),
        "owner.email": _("Owner"),
        "design.name": _("Design"),
        "batch.name": _("Batch"),
        "profile.slug": _("Profile"),
        "reroute_url": _("Web address"),
        "locked_because": _("Lock reason"),
        "is_blocked": _("Blocked domain"),
        "claim_policy": _("Claim method"),
        "imported_tap_count": _("Imported taps"),
        "created_at": _("Created"),
        "claimed_at": _("Claimed"),
        "chip_uid": _("Chip UID"),
    }
    column_select_related_list = (Card.owner, Card.design, Card.batch)
    column_formatters = {
        "status": lambda _view, _context, card, _name: filters.label(card),
        "target": lambda _view, _context, card, _name: TARGETS.get(card.target, "–"),
    }
    column_searchable_list = ("token", "alias", "owner.email", "design.name", "batch.name")
    column_sortable_list = ("token", "alias", "status", "created_at")
    column_details_list = (
        "token",
        "status",
        "locked_because",
        "owner.email",
        "alias",
        "target",
        "reroute_url",
        "is_blocked",
        "profile.slug",
        "design.name",
        "batch.name",
        "claim_policy",
        "chip_uid",
        "imported_tap_count",
        "created_at",
        "claimed_at",
    )
    column_default_sort = ("id", True)


class OutboxView(StaffView):
    """Outgoing emails: due, sent and failed ones, without their contents."""

    access = staff("mails.view")
    search_hint = _("Email type")
    column_labels = {
        "id": _("ID"),
        "kind": _("Email type"),
        "created_at": _("Created"),
        "due_at": _("Due"),
        "attempt_count": _("Attempts"),
        "done_at": _("Sent"),
        "failed_at": _("Gave up"),
        "error": _("Error"),
    }
    column_formatters = {"kind": lambda _view, _context, row, _name: filters.email_kind(row.kind)}
    column_list = ("kind", "created_at", "due_at", "attempt_count", "done_at", "failed_at", "error")
    column_details_list = ("id", *column_list)
    labeled_columns = column_list[1:]
    column_searchable_list = ("kind",)
    column_sortable_list = ("kind", "created_at", "due_at", "failed_at")
    column_default_sort = ("id", True)

    def title_of(self, row: OutboxMessage) -> str:
        """Return the kind of email."""
        return filters.email_kind(row.kind)

    def matches_label(self, search: str) -> sa.ColumnElement[bool]:
        """Return the condition that the label of the kind of email contains every word of a search."""
        words = search_text.words(search)
        labels = {kind: search_text.index(filters.email_kind(kind)) for kind in mail.LABELS}
        kinds = [kind for kind, label in labels.items() if all(word in label for word in words)]
        return OutboxMessage.kind.in_(kinds)


def _write_detail(value: Any) -> str:
    """Return a detail of an audit entry as text."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)


class AuditView(StaffView):
    """Audit log: actions of users."""

    access = staff("audit.view")
    search_hint = _("Action")
    column_list = ("tag", "happened_at", "actor.email", "subject_type", "subject_id")
    column_details_list = (*column_list, "origin", "details")
    column_select_related_list = (AuditEntry.actor,)
    column_labels = {
        "actor.email": _("User"),
        "tag": _("Action"),
        "happened_at": _("Date"),
        "subject_type": _("Object"),
        "subject_id": _("Object ID"),
    }
    column_formatters = {
        "tag": lambda _view, _context, row, _name: filters.audit_action(row.tag),
        "subject_type": lambda _view, _context, row, _name: filters.audit_object(row.subject_type),
        "details": lambda _view, _context, row, _name: "; ".join(
            f"{filters.words_of_name(name)}: {_write_detail(value)}" for name, value in (row.details or {}).items()
        ),
    }
    labeled_columns = ("subject_id",)
    column_searchable_list = ("tag",)
    column_sortable_list = ("tag", "happened_at")
    column_default_sort = ("id", True)

    def title_of(self, row: AuditEntry) -> str:
        """Return the action."""
        return filters.audit_action(row.tag)

    def matches_label(self, search: str) -> sa.ColumnElement[bool]:
        """Return the condition that the label of the action contains every word of a search."""
        words = search_text.words(search)
        labels = {tag: search_text.index(gettext(label)) for tag, label in registry.audit_actions.items()}
        tags = [tag for tag, label in labels.items() if all(word in label for word in words)]
        return AuditEntry.tag.in_(tags)


class UnusedIndex(Guarded, AdminIndexView):
    """Start page of Flask-Admin, which is not used: ours is `/admin/`."""

    access = staff("cards.view")

    @expose("/")
    def index(self) -> Any:
        abort(404)


TABLES = (
    (Card, CardView, "cards", _("Cards")),
    (OutboxMessage, OutboxView, "outbox", _("Emails")),
    (AuditEntry, AuditView, "audit", _("Audit log")),
)


def init_app(app: Flask) -> None:
    """Register the tables under `/admin/tables`."""
    admin = Admin(app, name="tapcard", index_view=UnusedIndex(url="/admin/tables"))
    for model, view, endpoint, name in TABLES:
        admin.add_view(view(model, db, name=name, endpoint=endpoint, url=f"/admin/tables/{endpoint}"))
    send_file = app.view_functions["admin.static"]

    @access(PUBLIC)
    def static(filename: str) -> Any:
        """Send a stylesheet or script of Flask-Admin."""
        return send_file(filename=filename)

    app.view_functions["admin.static"] = static
