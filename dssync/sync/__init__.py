"""The use cases: pull, plan, push, status; each fetches, asks `core`, and stores.

Names are resolved on first use: what only reads the mirror need not wait for httpx.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dssync.net.pacing import Waits as Waits
    from dssync.posthog import Pace as Pace
    from dssync.sync.planner import make_plan as make_plan
    from dssync.sync.preparation import Prepared as Prepared
    from dssync.sync.preparation import prepare_push as prepare_push
    from dssync.sync.puller import pull as pull
    from dssync.sync.pusher import apply_push as apply_push
    from dssync.sync.session import Session as Session
    from dssync.sync.status import RemoteStatus as RemoteStatus
    from dssync.sync.status import Status as Status
    from dssync.sync.status import read_status as read_status

_HOME = {
    "Pace": "dssync.posthog",
    "Prepared": "dssync.sync.preparation",
    "RemoteStatus": "dssync.sync.status",
    "Session": "dssync.sync.session",
    "Status": "dssync.sync.status",
    "Waits": "dssync.net.pacing",
    "apply_push": "dssync.sync.pusher",
    "make_plan": "dssync.sync.planner",
    "prepare_push": "dssync.sync.preparation",
    "pull": "dssync.sync.puller",
    "read_status": "dssync.sync.status",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'dssync.sync' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
