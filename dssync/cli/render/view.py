"""What every value shown can do: be drawn for people, and be a JSON object for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dssync.cli.render.screen import Screen

Document = Mapping[str, object]
"""A JSON object."""


class View(Protocol):
    """One value as a command shows it."""

    def json(self) -> Document:
        """Return the value for programs."""
        ...

    def draw(self, screen: Screen) -> None:
        """Print the value for people, as data."""
        ...


@dataclass(frozen=True, slots=True)
class ForPrograms:
    """A result that people are told in other ways."""

    value: Document

    def json(self) -> Document:
        """Return the value for programs."""
        return self.value

    def draw(self, screen: Screen) -> None:
        """Print nothing."""
