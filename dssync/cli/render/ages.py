"""Times as people read them."""

from datetime import UTC, datetime

_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def moment(text: str) -> str:
    """Write a stored time to the second.

    >>> moment("2026-11-23T18:13:50.347800Z")
    '2026-11-23T18:13:50Z'
    """
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(text: str, now: datetime) -> str:
    """Say how long ago a stored time was, in its largest whole unit.

    >>> ago("2026-11-23T18:00:00Z", datetime(2026, 11, 24, 20, tzinfo=UTC))
    '1 day ago'
    """
    seconds = (now - datetime.fromisoformat(text)).total_seconds()
    for size, unit in _STEPS:
        number = int(seconds // size)
        if number >= 1:
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"
