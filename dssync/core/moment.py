"""Which snapshot somebody means who gives a number or a time."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from dssync.core.snapshot import Snapshot
from dssync.errors import UnknownRun, UsageError

_RUN = re.compile("[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(_DAY.pattern + r"[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?.*")

LISTED = "dssync snapshots lists what there is"


def moment(text: str) -> int | datetime:
    """Read a snapshot's number, or a time: RFC 3339, or a day, which means its end in UTC.

    A time without a zone is UTC. Raises UsageError.
    """
    if _RUN.fullmatch(text):
        return int(text)
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        if _TIME.fullmatch(text):
            found = datetime.fromisoformat(text.upper())
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:  # the thirtieth of February, for one
        pass
    raise UsageError(
        f"{text!r} is neither a snapshot's number nor a time",
        hint="such as 42, 2026-11-23 or 2026-11-23T18:00:00Z",
    )


def chosen(snapshots: Sequence[Snapshot], text: str | None, remote: str) -> Snapshot:
    """Return the snapshot of a remote that `text` names, out of all it has, oldest first.

    A time means the newest taken at or before it, None the newest there is. Raises UnknownRun for
    one that is not there, UsageError for what is no name of one.
    """
    wanted = moment(text) if text is not None else None
    if not snapshots:
        raise UnknownRun(
            f"there is no snapshot of {remote}", hint="a complete pull takes one: dssync pull"
        )
    if wanted is None:
        return snapshots[-1]
    if isinstance(wanted, int):
        found = [each for each in snapshots if each.run == wanted]
        missing = f"there is no snapshot {wanted} of {remote}"
    else:
        found = [each for each in snapshots if each.moment <= wanted]
        missing = f"no snapshot of {remote} is as old as {text}"
    if not found:
        raise UnknownRun(missing, hint=LISTED)
    return found[-1]
