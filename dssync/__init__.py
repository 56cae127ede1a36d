"""Offline sync and backup for PostHog datasets.

    from dssync import Mirror, Remote, Session, apply_push, make_plan, prepare_push, pull

    remotes = [Remote("prod", "https://us.posthog.com", "environment", "123")]
    with Mirror.open("mirror.db", create=True) as mirror:
        receipt = pull(mirror, remotes, Session())

Names are resolved on first use, so `import dssync` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dssync.config import Remote as Remote
    from dssync.core.plan import Plan as Plan
    from dssync.core.receipt import Receipt as Receipt
    from dssync.errors import DssyncError as DssyncError
    from dssync.mirror import Mirror as Mirror
    from dssync.mirror import Record as Record
    from dssync.posthog import Client as Client
    from dssync.sync import Session as Session
    from dssync.sync import apply_push as apply_push
    from dssync.sync import make_plan as make_plan
    from dssync.sync import prepare_push as prepare_push
    from dssync.sync import pull as pull
    from dssync.sync import read_status as read_status

_HOME = {
    "Client": "dssync.posthog",
    "DssyncError": "dssync.errors",
    "Mirror": "dssync.mirror",
    "Plan": "dssync.core.plan",
    "Receipt": "dssync.core.receipt",
    "Record": "dssync.mirror",
    "Remote": "dssync.config",
    "Session": "dssync.sync",
    "apply_push": "dssync.sync",
    "make_plan": "dssync.sync",
    "prepare_push": "dssync.sync",
    "pull": "dssync.sync",
    "read_status": "dssync.sync",
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
