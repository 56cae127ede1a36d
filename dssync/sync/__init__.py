"""The use cases: pull, plan, push, status; each fetches, asks `core`, and stores."""

from dssync.sync.planner import make_plan
from dssync.sync.preparation import Prepared, prepare_push
from dssync.sync.puller import pull
from dssync.sync.pusher import apply_push
from dssync.sync.session import Session
from dssync.sync.status import RemoteStatus, Status, read_status

__all__ = [
    "Prepared",
    "RemoteStatus",
    "Session",
    "Status",
    "apply_push",
    "make_plan",
    "prepare_push",
    "pull",
    "read_status",
]
