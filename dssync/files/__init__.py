"""The working copy as files, and back: JSON Lines, CSV and XLSX; and bundles of the past."""

from dssync.files.exporter import Exported, export
from dssync.files.importer import Imported, bring_in
from dssync.files.layout import FORMATS

__all__ = ["FORMATS", "Exported", "Imported", "bring_in", "export"]
