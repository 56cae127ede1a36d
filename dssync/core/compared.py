"""What became of a record between two moments of its past, as a plan would say it."""

from dssync.core.differ import Describe, difference
from dssync.core.fields import Spot, Values
from dssync.core.plan import Change
from dssync.core.records import Triple


def compared(
    remote: str, spot: Spot, id: str, was: Values | None, now: Values | None, describe: Describe
) -> Change | None:
    """Return what makes the one of the other, None where they say the same.

    None stands for a record that was not there yet; where it is only the later one, it is deleted.
    """
    if now is None:
        if was is None:
            return None
        now = {**was, "deleted": 1}
    found = difference(Triple(*spot, id, remote, now, was, was), describe)
    return found if isinstance(found, Change) else None
