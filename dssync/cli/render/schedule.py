"""What starts backups every night, to be put where it belongs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line
from dssync.cli.render.view import Document

FILES: Mapping[str, str] = {
    "service": "/etc/systemd/system/dssync-backup.service",
    "timer": "/etc/systemd/system/dssync-backup.timer",
}


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """Shows one text as it is, or several, each below the name of its file."""

    texts: Mapping[str, str]

    def json(self) -> Document:
        """Return the texts for programs."""
        return dict(self.texts)

    def draw(self, screen: Screen) -> None:
        """Print the texts."""
        screen.data(self._lines())

    def _lines(self) -> Iterator[Line]:
        for number, (name, text) in enumerate(self.texts.items()):
            if len(self.texts) > 1:
                yield from [Line()] * bool(number)
                yield Line(f"# {FILES[name]}", "head")
            yield from map(Line, text.removesuffix("\n").split("\n"))
