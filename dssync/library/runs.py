"""Pulls and pushes of the mirror that a program has open: what the command line runs."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from dssync import sync
from dssync.library.mirror import Mirror
from dssync.mirror import Mirror as Store

P = ParamSpec("P")
R = TypeVar("R")


def _of_mirror(use: Callable[Concatenate[Store, P], R]) -> Callable[Concatenate[Mirror, P], R]:
    @wraps(use)
    def run(mirror: Mirror, /, *arguments: P.args, **named: P.kwargs) -> R:
        return use(mirror.store, *arguments, **named)

    return run


apply_push = _of_mirror(sync.apply_push)
make_plan = _of_mirror(sync.make_plan)
prepare_push = _of_mirror(sync.prepare_push)
pull = _of_mirror(sync.pull)
read_status = _of_mirror(sync.read_status)
