"""How every command that edits the working copy ends."""

from collections.abc import Iterator, Sequence

from dssync.cli.context import Context
from dssync.cli.render.edit import EditView
from dssync.cli.render.names import title
from dssync.cli.render.text import counted
from dssync.mirror import Mirror, Record
from dssync.sync import make_plan

NAMED = 10
"""So many records are named one by one."""


def named(done: str, records: Sequence[Record]) -> Iterator[str]:
    """Say what was done to which records; many are counted."""
    for record in records[:NAMED]:
        yield f"{done} {title(record.kind, record.label, record.key)}"
    if len(records) > NAMED:
        yield f"{done} {counted(len(records) - NAMED, 'more record')}"


def finish_edit(
    context: Context,
    mirror: Mirror,
    done: str,
    records: Sequence[Record],
    *,
    print_keys: bool = False,
) -> int:
    """Say what was done to which records, what is pending now, and how to take it back."""
    context.tell(*named(done, records))
    pending = make_plan(mirror)
    return context.finish(EditView(records, pending, print_keys), pending=pending)
