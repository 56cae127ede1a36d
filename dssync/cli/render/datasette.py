"""What Datasette should say of a mirror."""

from dataclasses import dataclass

from dssync.cli.render.screen import Screen
from dssync.cli.render.view import Document


@dataclass(frozen=True, slots=True)
class MetadataView:
    """Shows Datasette's metadata, a JSON document for people and programs alike."""

    metadata: Document

    def json(self) -> Document:
        """Return the metadata for programs."""
        return self.metadata

    def draw(self, screen: Screen) -> None:
        """Print the metadata as Datasette reads it."""
        screen.document(self.metadata, indent=2)
