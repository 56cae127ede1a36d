"""The use cases: pull, plan, push, status; each fetches, asks `core`, and stores."""

from dssync.net.pacing import Waits
from dssync.posthog import Pace
from dssync.sync.planner import make_plan
from dssync.sync.preparation import Prepared, prepare_push
from dssync.sync.puller import pull
from dssync.sync.pusher import apply_push
from dssync.sync.session import Session
from dssync.sync.status import RemoteStatus, Status, read_status

__all__ = [
    "Pace",
    "Prepared",
    "RemoteStatus",
    "Session",
    "Status",
    "Waits",
    "apply_push",
    "make_plan",
    "prepare_push",
    "pull",
    "read_status",
]
