"""Offline sync and backup for PostHog datasets.

    from dssync import Mirror

    with Mirror.open("mirror.db") as mirror, mirror.editing():
        for item in mirror.dataset("Support triage").items("metadata IS NULL"):
            item.metadata = {"split": "test"}

Names are resolved on first use, so `import dssync` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dssync.config import Remote as Remote
    from dssync.core.plan import Plan as Plan
    from dssync.core.receipt import Receipt as Receipt
    from dssync.errors import DssyncError as DssyncError
    from dssync.library import Dataset as Dataset
    from dssync.library import DatasetFields as DatasetFields
    from dssync.library import Item as Item
    from dssync.library import ItemFields as ItemFields
    from dssync.library import Mirror as Mirror
    from dssync.library import Pending as Pending
    from dssync.library import Record as Record
    from dssync.library.runs import apply_push as apply_push
    from dssync.library.runs import make_plan as make_plan
    from dssync.library.runs import prepare_push as prepare_push
    from dssync.library.runs import pull as pull
    from dssync.library.runs import read_status as read_status
    from dssync.posthog import Client as Client
    from dssync.sync import Session as Session

_HOME = {
    "Client": "dssync.posthog",
    "Dataset": "dssync.library",
    "DatasetFields": "dssync.library",
    "DssyncError": "dssync.errors",
    "Item": "dssync.library",
    "ItemFields": "dssync.library",
    "Mirror": "dssync.library",
    "Pending": "dssync.library",
    "Plan": "dssync.core.plan",
    "Receipt": "dssync.core.receipt",
    "Record": "dssync.library",
    "Remote": "dssync.config",
    "Session": "dssync.sync",
    "apply_push": "dssync.library.runs",
    "make_plan": "dssync.library.runs",
    "prepare_push": "dssync.library.runs",
    "pull": "dssync.library.runs",
    "read_status": "dssync.library.runs",
}

__all__ = [*_HOME, "version"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'dssync' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def version() -> str:
    """Return the program's version."""
    from importlib.metadata import version as installed

    return installed("dssync")
