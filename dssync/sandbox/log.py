"""What a sandbox was asked, for tests to read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and the status of its answer; 0 where the connection was dropped.

    `key` is the key's name, never its value, and None for an unknown one.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    status: int
    key: str | None


class Log(list[Entry]):
    """All requests, in the order they were answered; `clear()` forgets them."""

    def by_method(self) -> Counter[str]:
        """Count the requests of each method."""
        return Counter(entry.method for entry in self)

    def writes(self) -> list[Entry]:
        """Return the requests that asked for a change."""
        return [entry for entry in self if entry.method not in {"GET", "HEAD", "OPTIONS"}]
