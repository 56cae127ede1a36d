"""The five operations on datasets and on items."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dssync.sandbox.bodies import Body, clean_body
from dssync.sandbox.errors import HtmlError, invalid, method_not_allowed, not_found, server_error
from dssync.sandbox.fields import KINDS, KindName, read_uuid
from dssync.sandbox.jsonb import Cell
from dssync.sandbox.listing import (
    LARGEST_LIMIT,
    page_text,
    read_page,
    select_datasets,
    sort_datasets,
)
from dssync.sandbox.rows import Row
from dssync.sandbox.state import State
from dssync.sandbox.wire import Answer, Call, json_answer


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was let in.

    `before_save` runs between the reading of a row and its saving; `patch_deleted` says whether
    a deleted row can still be changed.
    """

    call: Call
    kind: KindName
    project: int
    record: str | None
    body: Body
    person: int
    before_save: Callable[[KindName, str], None]
    patch_deleted: bool


def list_rows(state: State, visit: Visit) -> Answer:
    """Answer one page."""
    page = read_page(visit.call)
    if page.limit > LARGEST_LIMIT:
        raise server_error()
    table = state.table(visit.project, visit.kind)
    with state.lock:
        if visit.kind == "dataset":
            selected = select_datasets(visit.call, table.live())
            count = len(selected)
            ordered = sort_datasets(visit.call, page, selected)
            rows = ordered[page.offset : page.offset + page.limit]
        else:
            order = table.order(_dataset_filter(state, visit))
            count = len(order)
            rows = [table.rows[row_id] for row_id in order.page(page.offset, page.limit)]
        shown = [state.shown(row) for row in rows]
    return json_answer(200, page_text(visit.call, page, count, shown))


def _dataset_filter(state: State, visit: Visit) -> str | None:
    asked = visit.call.query.get("dataset")
    if not asked:
        return None
    dataset = read_uuid(asked)
    if dataset not in state.table(visit.project, "dataset").rows:
        detail = "Select a valid choice. That choice is not one of the available choices."
        raise invalid("invalid_choice", detail, "dataset")
    return dataset


def create_row(state: State, visit: Visit) -> Answer:
    """Create a row and echo it."""
    cells = _clean(state, visit, partial=False)
    row = state.create(visit.kind, visit.project, cells, created_by=visit.person)
    return _echo(state, 201, row, cells)


def retrieve_row(state: State, visit: Visit) -> Answer:
    """Answer one row as it is stored."""
    row = _find(state, visit)
    if row.deleted:
        raise not_found()
    return json_answer(200, state.shown(row))


def update_row(state: State, visit: Visit) -> Answer:
    """Change the fields that were sent, and save every other column as it was read."""
    row = _find(state, visit)
    if row.deleted and not visit.patch_deleted:
        raise not_found()
    cells = _clean(state, visit, partial=visit.call.method == "PATCH")
    visit.before_save(visit.kind, row.id)
    return _echo(state, 200, state.save(row, cells), cells)


def refuse_deletion(_state: State, _visit: Visit) -> Answer:
    """Refuse a hard deletion, with no words at all."""
    return Answer(405)


def _find(state: State, visit: Visit) -> Row:
    identity = read_uuid(visit.record or "")
    row = state.table(visit.project, visit.kind).rows.get(identity or "")
    if row is None:
        raise not_found()
    return row


def _clean(state: State, visit: Visit, *, partial: bool) -> dict[str, Cell]:
    datasets = state.table(visit.project, "dataset").rows
    return clean_body(KINDS[visit.kind], visit.body, partial=partial, datasets=datasets)


def _echo(state: State, status: int, row: Row, cells: Mapping[str, Cell]) -> Answer:
    if any(cell.mute for cell in cells.values()):
        raise HtmlError
    echoes = {name: cell.echo for name, cell in cells.items()}
    return json_answer(status, state.shown(row, echoes))


View = Callable[[State, Visit], Answer]

LIST_VIEWS: Mapping[str, View] = {"GET": list_rows, "POST": create_row}
RECORD_VIEWS: Mapping[str, View] = {
    "GET": retrieve_row,
    "PATCH": update_row,
    "PUT": update_row,
    "DELETE": refuse_deletion,
}


def find_view(method: str, *, of_record: bool) -> View:
    """Return what answers a method; raises a 405."""
    views = RECORD_VIEWS if of_record else LIST_VIEWS
    view = views.get("GET" if method == "HEAD" else method)
    if view is None:
        raise method_not_allowed(method)
    return view
