"""What is going on, as values: whoever works reports them, and only the renderer prints."""

from collections.abc import Callable
from dataclasses import dataclass

from dssync.core.fields import KindName


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request waits that many seconds before it is sent again."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """A walk of one list begins."""

    remote: str
    kind: KindName


@dataclass(frozen=True, slots=True)
class Expected:
    """What the rest of a walk should take, as its first pages tell.

    `seconds` counts the time of the requests and the waits that the key's budget will ask for.
    """

    remote: str
    kind: KindName
    rows: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PageStored:
    """A page reached the mirror.

    `rows` and `pages` count the whole walk so far; `count_hint` is the server's own count of the
    list, which may be off by whatever changed since.
    """

    remote: str
    kind: KindName
    rows: int
    pages: int
    count_hint: int | None


@dataclass(frozen=True, slots=True)
class ScanEnded:
    """A walk of one list is over, complete or not."""

    remote: str
    kind: KindName
    outcome: str
    rows: int


@dataclass(frozen=True, slots=True)
class ChangeSent:
    """One change of a plan has its outcome; it is number `done` of `total`."""

    remote: str
    kind: KindName
    key: str
    action: str
    outcome: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of a backup begins: `pull`, `verify`, `copy` or `forget`."""

    step: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step of a backup is over; `whole` tells whether the steps that build on it may follow."""

    step: str
    whole: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence people should read."""

    message: str


Event = (
    Waiting
    | ScanStarted
    | Expected
    | PageStored
    | ScanEnded
    | ChangeSent
    | StepStarted
    | StepEnded
    | Note
)

Report = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Report to nobody."""
