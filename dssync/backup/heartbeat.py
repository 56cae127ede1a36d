"""Tell whoever watches that a backup or a drill began, and how it ended.

Whoever watches notices what nobody here can: that nothing began at all. A server that hangs or
fails costs seconds and a warning, and changes no outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from dssync.core.nightly import end_of
from dssync.net.ping import SECONDS, Ping
from dssync.notice import Notice

MOST = 10_000
"""So many bytes of a report are sent: what healthchecks.io keeps for every check is more."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The URLs to tell; none is fine. `seconds` is how long each may take in all."""

    pings: Mapping[str, Ping]
    seconds: float = SECONDS

    @classmethod
    def of(cls, notice: Notice, seconds: float = SECONDS) -> Self:
        """Make one of what is configured. Raises ConfigError for what is no usable URL."""
        found = {
            moment: Ping(told.url, told.where, told.suffix) for moment, told in notice.told.items()
        }
        return cls(found, seconds)

    def started(self) -> list[str]:
        """Tell of the start; return a warning where that failed."""
        return self._tell("start", "")

    def ended(self, exit_code: int, report: str) -> list[str]:
        """Tell of the end, with the end of the report; return a warning where that failed."""
        return self._tell("failure" if exit_code else "success", end_of(report, MOST))

    def _tell(self, moment: str, body: str) -> list[str]:
        ping = self.pings.get(moment)
        why = ping.send(body, self.seconds) if ping else ""
        return (
            [f"the heartbeat ({moment}) did not reach {ping.host}: {why}"] if ping and why else []
        )
