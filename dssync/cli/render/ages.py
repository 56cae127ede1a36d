"""Times as people read them."""

from datetime import UTC, datetime

_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def moment(text: str) -> str:
    """Write a stored time to the second; what damage made no time of stays as it is.

    >>> moment("2026-11-23T18:13:50.347800Z")
    '2026-11-23T18:13:50Z'
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return text
    return read.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(text: str, now: datetime) -> str:
    """Say how long ago a stored time was, in its largest whole unit.

    >>> ago("2026-11-23T18:00:00Z", datetime(2026, 11, 24, 20, tzinfo=UTC))
    '1 day ago'
    """
    seconds = seconds_since(text, now)
    if seconds is None:
        return "at no time that can be read"
    for size, unit in _STEPS:
        number = int(seconds // size)
        if number >= 1:
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"


def length(seconds: float) -> str:
    """Write a length of time in its largest unit and the next; up to two days, in hours.

    >>> length(44 * 86_400 + 7_300), length(26 * 3_600 + 5), length(59)
    ('44 days 2 hours', '26 hours', '59 seconds')
    """
    rest = max(0, int(seconds))
    units = [*_STEPS, (1, "second")]
    if rest < 2 * units[0][0]:
        units = units[1:]
    while len(units) > 1 and rest < units[0][0]:
        units = units[1:]
    parts: list[str] = []
    for size, unit in units[:2]:
        number, rest = divmod(rest, size)
        if number or not parts:
            parts.append(f"{number} {unit}{'' if number == 1 else 's'}")
    return " ".join(parts)


def seconds_since(text: str, now: datetime) -> int | None:
    """Return how many seconds ago a stored time was, None for what is no time any more."""
    try:
        return int((now - datetime.fromisoformat(text)).total_seconds())
    except (TypeError, ValueError):
        return None
