"""Walk one list and store it: the walk decides, this asks and stores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dssync.core.fields import KindName
from dssync.core.records import Reading
from dssync.core.scan import Accepted, Ask, Page
from dssync.core.walk import Walk
from dssync.errors import TemporaryError
from dssync.events import PageStored
from dssync.posthog import Contract, PageResult
from dssync.sync.session import Session

Store = Callable[[Sequence[Reading]], None]


@dataclass(slots=True)
class Progress:
    """How far a walk has come; `trouble` is the last failure of a page."""

    rows: int = 0
    pages: int = 0
    trouble: TemporaryError | None = None


def scan(
    walk: Walk, contract: Contract, remote: str, kind: KindName, store: Store, session: Session
) -> Progress:
    """Ask for pages until the walk is done, storing each stretch of rows it accepts.

    A page that does not come, or stays 5xx, is the walk's business; anything else is raised.
    """
    progress = Progress()
    held: dict[Ask, PageResult] = {}
    while not walk.done:
        for ask in walk.asks():
            started = session.clock.monotonic()
            try:
                page = contract.page(kind, ask.offset, ask.limit)
            except TemporaryError as error:
                progress.trouble = error
                walk.fail(ask, error.message, fatal=not _may_be_one_row(error))
                continue
            held[ask] = page
            progress.pages += 1
            shown = Page([r.position for r in page.readings], page.more, page.count)
            seconds = session.clock.monotonic() - started
            for verdict in walk.take(ask, shown, page.size_bytes, seconds):
                rows = held.pop(verdict.ask).readings
                if isinstance(verdict, Accepted):
                    store(rows[verdict.start :])
                    progress.rows += len(rows) - verdict.start
            session.report(PageStored(remote, kind, progress.rows, progress.pages, page.count))
    return progress


def _may_be_one_row(error: TemporaryError) -> bool:
    """Tell whether a smaller page may fare better: a 5xx or a time-out, not a refusal or a 429."""
    return error.perhaps_applied
