"""An embedded PostHog-compatible server for demos, tests and trials.

    with serve(sandbox := Sandbox()) as url:
        load_sample(sandbox.state)
        ...

It keeps everything in memory, speaks the classic contract, and misbehaves on request (`Fault`).
It imports nothing of dssync but its own files, so client and server cannot share a misreading.
"""

from dssync.sandbox.app import SANDBOX_KEY, Sandbox
from dssync.sandbox.data import generate, load_sample
from dssync.sandbox.errors import HtmlError, Problem
from dssync.sandbox.faults import ConnectionDropped, Fault
from dssync.sandbox.limits import POSTHOG_LIMITS, Window
from dssync.sandbox.log import Entry
from dssync.sandbox.serve import serve
from dssync.sandbox.state import State

__all__ = [
    "POSTHOG_LIMITS",
    "SANDBOX_KEY",
    "ConnectionDropped",
    "Entry",
    "Fault",
    "HtmlError",
    "Problem",
    "Sandbox",
    "State",
    "Window",
    "generate",
    "load_sample",
    "serve",
]
