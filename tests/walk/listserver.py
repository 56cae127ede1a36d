"""A list that moves and a server that misbehaves, for the walk's tests; values only, no I/O."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from dssync.core.records import Position
from dssync.core.scan import Accepted, Ask, Discarded, KnownHole, Outcome, Page, Partial
from dssync.core.sizing import Sizing
from dssync.core.walk import Walk


def position(number: int) -> Position:
    """Row `number` of a list: a few rows share each timestamp, so that ids break the ties."""
    return Position(number // 7, f"{number + 10**6:08d}")


def positions(numbers: Iterable[int]) -> list[Position]:
    return [position(number) for number in numbers]


Hints = Callable[[Page, int, int], Page]


def honest(page: Page, offset: int, total: int) -> Page:
    return Page(page.positions, offset + len(page.positions) < total, total)


def silent(page: Page, offset: int, total: int) -> Page:
    return Page(page.positions, False, None)


def ending(page: Page, offset: int, total: int) -> Page:
    """Claim that every page is the last one, in both hints."""
    return Page(page.positions, False, offset + len(page.positions))


def endless(page: Page, offset: int, total: int) -> Page:
    return Page(page.positions, True, 10**6)


@dataclass
class ListServer:
    """Rows are numbers, smaller ones first; `before_each` may change them before a request.

    `faults` names requests by number: "fail", "repeat" the answer before, or show an "empty" page.
    The latter two spare the offset 0, where nothing can tell an empty list from a lie.
    """

    rows: Iterable[int]
    poison: Iterable[int] = ()
    clamp: int = 10**6
    hints: Hints = honest
    before_each: Callable[["ListServer"], None] = lambda server: None
    faults: dict[int, str] = field(default_factory=dict)
    requests: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live = set(self.rows)
        self.bad = set(self.poison)
        self.gone: set[int] = set()
        self._previous: Page | None = None

    def get(self, ask: Ask) -> Page | None:
        """Answer a request; None is a lasting 5xx."""
        self.before_each(self)
        fault = self.faults.get(len(self.requests))
        if ask.offset == 0 and fault != "fail":
            fault = None
        self.requests.append((ask.offset, ask.limit))
        if fault == "fail":
            return None
        if fault == "repeat" and self._previous:
            return self._previous
        shown = sorted(self.live)[ask.offset :][: min(ask.limit, self.clamp)]
        if self.bad.intersection(shown):
            return None
        if fault == "empty":
            shown = []
        page = self.hints(Page(positions(shown)), ask.offset, len(self.live))
        self._previous = page
        return page


@dataclass
class Result:
    outcome: Outcome
    accepted: list[Position]
    requests: int
    most_held: int

    @property
    def partial(self) -> bool:
        return isinstance(self.outcome, Partial)


def run(
    server: ListServer,
    page: int | None = None,
    ahead: int = 1,
    known: Sequence[KnownHole] = (),
    seed: int = 0,
    most_requests: int = 5_000,
) -> Result:
    """Drive a walk; with `ahead` > 1, serve and deliver in any order."""
    walk, random = Walk(Sizing(page), ahead, known), Random(seed)
    waiting: list[Ask] = []
    served: list[tuple[Ask, Page | None]] = []
    held: dict[Ask, Sequence[Position]] = {}
    accepted: list[Position] = []
    most_held = 0
    while not walk.done:
        waiting += walk.asks()
        assert waiting or served, "the walk waits for nothing"
        assert len(waiting) + len(served) <= ahead
        if waiting and (not served or random.random() < 0.5):
            ask = waiting.pop(random.randrange(len(waiting)))
            served.append((ask, server.get(ask)))
            assert len(server.requests) <= most_requests, "the walk does not end"
            continue
        ask, answer = served.pop(random.randrange(len(served)))
        if answer is None:
            verdicts = walk.fail(ask, "HTTP 500")
        else:
            held[ask] = answer.positions
            most_held = max(most_held, len(held))
            verdicts = walk.take(ask, answer, 1_000 * len(answer.positions), 0.1)
        for verdict in verdicts:
            rows = held.pop(verdict.ask)
            if isinstance(verdict, Accepted):
                accepted += rows[verdict.start :]
            else:
                assert isinstance(verdict, Discarded)
    assert not held, "pages without a verdict"
    assert walk.outcome
    return Result(walk.outcome, accepted, len(server.requests), most_held)
