"""Walk one list and store it: the walk decides, a few threads fetch, and one thread writes."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from dssync.core.fields import KindName
from dssync.core.records import Reading
from dssync.core.scan import Accepted, Ask, Page, Verdict
from dssync.core.sizing import Sizing
from dssync.core.walk import Walk
from dssync.errors import TemporaryError
from dssync.events import Expected, PageStored, Waiting
from dssync.posthog import PageResult
from dssync.sync.session import Link, Session

TOGETHER = 2
"""Pages stored in one unit, once the list is long: keys are random, so each unit writes pages all
over the index, and with a large index many small units would write all of it again and again."""

SHARE = 10
"""A unit holds at most that part of the rows before it, so that writing keeps up with fetching."""

WAITING = 3
"""Pages that may wait to be written; then fetching waits, so memory stays flat."""

PAUSE = 0.25
"""Seconds to leave the server alone after a page that failed, before reading around it."""

TELLING = 2
"""The page from which on it can be told how long the walk will take."""

Store = Callable[[Sequence[Reading]], "Future[None]"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page that came, its rows' places in the list, and how many seconds it took."""

    result: PageResult
    page: Page
    seconds: float


@dataclass(slots=True)
class Progress:
    """How far a walk has come; `count` is the server's hint, `trouble` the last failed page."""

    rows: int = 0
    pages: int = 0
    count: int | None = None
    trouble: TemporaryError | None = None


@dataclass(slots=True)
class Scanner:
    """One walk of one list of one remote; `store` hands rows to the writing thread.

    `sizing` is the walk's own. With `dataset_id` the list is the items of that dataset. `eager`
    tells whether the values of rows will be asked for: then the fetching threads make them, since
    the writing thread is the one that everybody waits for.
    """

    walk: Walk
    sizing: Sizing
    link: Link
    kind: KindName
    store: Store
    session: Session
    eager: Callable[[], bool]
    dataset_id: str | None = None
    progress: Progress = field(default_factory=Progress)
    _held: dict[Ask, Fetched] = field(default_factory=dict)
    _unit: list[Reading] = field(default_factory=list)
    _stored: "deque[tuple[int, Future[None]]]" = field(default_factory=deque)

    def run(self) -> Progress:
        """Ask for pages until the walk is done, storing each stretch of rows it accepts.

        A page that does not come, or stays 5xx, is the walk's business; anything else is raised.
        """
        with ThreadPoolExecutor(self.session.ahead, thread_name_prefix="dssync-fetch") as pool:
            under_way: dict[Future[Fetched], Ask] = {}
            try:
                while not self.walk.done:
                    under_way |= {pool.submit(self._fetch, ask): ask for ask in self.walk.asks()}
                    for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                        self._take(under_way.pop(done), done)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                self._store()
        self._finish_storing(0)
        return self.progress

    def _fetch(self, ask: Ask) -> Fetched:
        started = self.session.clock.monotonic()
        result = self.link.contract.page(self.kind, ask.offset, ask.limit, self.dataset_id)
        if self.eager():
            for reading in result.readings:
                reading.row()
        page = Page([r.position for r in result.readings], result.more, result.count)
        return Fetched(result, page, self.session.clock.monotonic() - started)

    def _take(self, ask: Ask, done: "Future[Fetched]") -> None:
        try:
            fetched = done.result()
        except TemporaryError as error:
            self.progress.trouble = error
            verdicts = self.walk.fail(ask, error.message, fatal=not error.perhaps_applied)
            self._pause(error)
        else:
            verdicts = self._arrived(ask, fetched)
        for verdict in verdicts:
            readings = self._held.pop(verdict.ask).result.readings
            if isinstance(verdict, Accepted):
                self._keep(readings[verdict.start :])

    def _pause(self, error: TemporaryError) -> None:
        if not self.walk.done:
            self.session.report(Waiting(PAUSE, error.message))
            self.session.clock.sleep(PAUSE)

    def _arrived(self, ask: Ask, fetched: Fetched) -> list[Verdict]:
        self._held[ask] = fetched
        self.progress.pages += 1
        self.progress.count = fetched.page.count
        size = fetched.result.size_bytes
        verdicts = self.walk.take(ask, fetched.page, size, fetched.seconds)
        if self.progress.pages == TELLING and not self.walk.done:
            self._foretell(fetched)
        return verdicts

    def _foretell(self, fetched: Fetched) -> None:
        """Report what the rest should take, from the second page, which has its full size."""
        left = max(0, (fetched.page.count or 0) - self.progress.rows)
        requests = -(-left // max(1, self.sizing.rows - 1)) + 1
        at_once = self.sizing.depth(self.session.ahead)
        seconds = requests * fetched.seconds / at_once + self.link.budget.estimate(requests)
        self.session.report(Expected(self.link.remote.name, self.kind, left, requests, seconds))

    def _keep(self, readings: Sequence[Reading]) -> None:
        self._unit += readings
        self.progress.rows += len(readings)
        if len(self._unit) >= min(TOGETHER * (self.sizing.rows - 1), self.progress.rows // SHARE):
            self._store()
        done, remote = self.progress, self.link.remote.name
        self.session.report(PageStored(remote, self.kind, done.rows, done.pages, done.count))

    def _store(self) -> None:
        """Hand the accepted rows to the writer."""
        if self._unit:
            self._finish_storing(WAITING * self.sizing.rows - len(self._unit))
            self._stored.append((len(self._unit), self.store(self._unit)))
            self._unit = []

    def _finish_storing(self, waiting: int) -> None:
        """Wait until at most that many rows are unwritten. Raises what writing raised."""
        while self._stored and sum(rows for rows, _ in self._stored) > waiting:
            self._stored.popleft()[1].result()
