"""A record in an editor: open it, bring it back until it is right, write it, say what was done."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

from dssync.cli.context import Context
from dssync.cli.editing import named
from dssync.cli.editor import edit_text
from dssync.cli.render.edit import EditView
from dssync.cli.render.text import counted
from dssync.core.brakes import Limit
from dssync.errors import DssyncError, UsageError
from dssync.files.page import Found, Page, read_page, says_nothing
from dssync.files.rewriting import Rewritten, take
from dssync.files.stamping import Stamped, stamp
from dssync.mirror import Mirror
from dssync.sync import make_plan


def rewrite(
    context: Context, mirror: Mirror, page: Page, *, delete_missing: bool, limit: Limit | None
) -> int:
    """Let a person edit a page, and write what they changed."""
    if context.given.no_input:
        raise UsageError(
            "edit opens an editor, and --no-input forbids it", hint="use `dssync set` instead"
        )
    text, found = _edited(context, page)
    done = Rewritten()
    if found is not None:
        with _kept(text):
            done = take(mirror, page, found, delete_missing=delete_missing, limit=limit)
    _tell(context, page, done)
    records = (*done.edited, *done.made, *done.deleted)
    pending = make_plan(mirror)
    return context.finish(EditView(records, pending), pending=pending)


def _edited(context: Context, page: Page) -> tuple[str, Found | None]:
    """Return a page without mistakes and what it says, None where nothing is to change.

    Raises UsageError.
    """
    shown = Stamped(page.text, frozenset())
    while True:
        saved = edit_text(shown.text, f"{page.record.kind}.yaml")
        text = shown.without(saved)
        if says_nothing(text) or text == page.text:
            return text, None
        found = read_page(page, text)
        if not found.mistakes:
            return text, found
        if saved == shown.text or not context.screen.interactive:
            with _kept(text):
                raise _wrong(found)
        shown = stamp(text, found.mistakes)


def _wrong(found: Found) -> UsageError:
    lines = [f"  line {each.line}: {each.reason}" for each in found.mistakes]
    return UsageError("\n".join(["nothing was changed, because of what was saved:", *lines]))


@contextmanager
def _kept(text: str) -> Iterator[None]:
    """Keep what a person wrote, if it cannot be taken."""
    try:
        yield
    except DssyncError as error:
        handle, name = mkstemp(prefix="dssync-edit-", suffix=".yaml")
        os.close(handle)
        Path(name).write_text(text, encoding="utf-8", newline="\n")
        error.hint = "; ".join(filter(None, [error.hint, f"what you wrote is kept in {name}"]))
        raise


def _tell(context: Context, page: Page, done: Rewritten) -> None:
    if not (done.edited or done.made or done.deleted):
        context.tell("nothing was changed")
    for word, records in (
        ("edited", done.edited),
        ("made", done.made),
        ("deleted", done.deleted),
    ):
        context.tell(*named(word, records))
    if done.kept:
        gone = counted(len(done.kept), "item")
        context.tell(
            f"{gone} not in the file any more, and kept; --delete-missing deletes what is gone"
        )
