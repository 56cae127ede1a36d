"""How every command that edits the working copy ends."""

from collections.abc import Sequence

from dssync.cli.context import Context
from dssync.cli.render.edit import EditView
from dssync.cli.render.names import title
from dssync.mirror import Mirror, Record
from dssync.sync import make_plan


def finish_edit(
    context: Context,
    mirror: Mirror,
    done: str,
    records: Sequence[Record],
    *,
    print_keys: bool = False,
) -> int:
    """Say what was done to which records, what is pending now, and how to take it back."""
    context.tell(*(f"{done} {title(r.kind, r.label, r.key)}" for r in records))
    pending = make_plan(mirror)
    return context.finish(EditView(records, pending, print_keys), pending=pending)
