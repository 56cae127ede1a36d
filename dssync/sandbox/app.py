"""The sandbox itself: a WSGI application that puts the pieces in the server's order."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from wsgiref.types import StartResponse, WSGIEnvironment

from dssync.sandbox.access import READ, WRITE, Access, Key, Project
from dssync.sandbox.bodies import parse_body
from dssync.sandbox.errors import HtmlError, Problem, not_acceptable
from dssync.sandbox.faults import Faults
from dssync.sandbox.fields import KindName
from dssync.sandbox.limits import POSTHOG_LIMITS, Limiter, Window
from dssync.sandbox.log import Entry, Log
from dssync.sandbox.routing import LONGEST_TARGET, answer_outside_api, find_route
from dssync.sandbox.state import OWNER, State
from dssync.sandbox.views import Visit, find_view
from dssync.sandbox.wire import Answer, Call, html_answer, read_call

SANDBOX_KEY = "phx_sandbox"

BeforeSave = Callable[[KindName, str], object]

_JSON_RANGES = frozenset({"*/*", "application/*", "application/json"})


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A PostHog-compatible server of the classic contract, in memory.

    Serve it on a socket with `serve`, or in process with any WSGI transport. It starts with
    project 1 and the key `phx_sandbox`, which may do everything.

    `now` returns aware datetimes. `limits=()` switches the rate limits off. `patch_deleted=False`
    behaves like the oldest servers, where deleted rows cannot be undeleted.

    `before_save(kind, id)` runs between the reading and the saving of a row by PATCH or PUT, and
    `race` seconds pass there. Without either, such requests wait for each other; with one, a
    change made meanwhile is lost, as on the real server. The hook may send requests itself: they
    do not run it again.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = _utc_now,
        *,
        limits: Sequence[Window] = POSTHOG_LIMITS,
        patch_deleted: bool = True,
        seed: int = 0,
    ) -> None:
        self.now = now
        self.state = State(now, seed)
        self.log = Log()
        self.limiter = Limiter(limits, now)
        self.patch_deleted = patch_deleted
        self.before_save: BeforeSave | None = None
        self._hooking = False
        self.race = 0.0
        self.stopping = threading.Event()
        self.faults = Faults(self.stopping.wait)
        self.access = Access()
        self._between: _Between | None = None
        self.add_project(1, "Sandbox")
        self.add_key(SANDBOX_KEY, name="sandbox")

    @property
    def limits(self) -> Sequence[Window]:
        """The rate limits; set them to change them, `()` for none."""
        return self.limiter.windows

    @limits.setter
    def limits(self, windows: Sequence[Window]) -> None:
        self.limiter.windows = tuple(windows)

    def add_project(self, project_id: int, name: str, *, member: bool = True) -> None:
        """Add a project, which is the environment of the same id too.

        `member=False`: nobody's key reaches it.
        """
        self.access.projects[project_id] = Project(project_id, name, member)

    def add_key(
        self,
        value: str,
        scopes: Iterable[str] = (READ, WRITE),
        projects: Iterable[int] | None = None,
        *,
        name: str | None = None,
        person: int = OWNER,
    ) -> None:
        """Add a personal API key; `projects` None reaches all.

        `name` stands for the key in the log (default: a number), `person` is whom it acts for.
        """
        reach = None if projects is None else frozenset(projects)
        label = name or f"key-{self.access.count + 1}"
        self.access.add_key(value, Key(label, frozenset(scopes), reach, person))

    def between_pages(self, hook: Callable[[], object] | None) -> None:
        """Run `hook` before every list request but the next one; None stops it."""
        self._between = _Between(hook) if hook else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one WSGI request; raises ConnectionDropped where a fault says so."""
        call = read_call(environ)
        status = 0
        try:
            answer = self.faults.run(call, self._answer)
            status = answer.status
        finally:
            self.log.append(self._entry(call, status))
        # From the injected clock: a client may measure the server's time by this header.
        date = format_datetime(self.now().astimezone(UTC), usegmt=True)
        return answer.send(start_response, ("Date", date))

    def _entry(self, call: Call, status: int) -> Entry:
        key = self.access.named(call.headers.get("authorization"))
        return Entry(call.method, call.path, call.query, call.body, status, key)

    def _answer(self, call: Call) -> Answer:
        try:
            return answer_outside_api(call.path) or self._answer_api(call)
        except (Problem, HtmlError) as refusal:
            return refusal.answer()

    def _answer_api(self, call: Call) -> Answer:
        if call.target_length > LONGEST_TARGET:
            return html_answer(414, "Request-URI Too Large")
        route = find_route(call.path)
        _negotiate(call)
        body = parse_body(call)
        key = self.access.identify(call.headers.get("authorization"))
        project = self.access.project(route.project)
        self.access.admit(key, project, READ if call.method in {"GET", "HEAD"} else WRITE)
        self.limiter.admit(key.name)
        view = find_view(call.method, of_record=route.record is not None)
        visit = Visit(
            call=call,
            kind=route.kind,
            project=project.id,
            record=route.record,
            body=body,
            person=key.person,
            before_save=self._open_window,
            patch_deleted=self.patch_deleted,
        )
        if call.method == "GET" and route.record is None and self._between:
            self._between.step()
        with self._alone(call.method):
            return view(self.state, visit)

    def _alone(self, method: str) -> AbstractContextManager[object]:
        overlapping = self.race or self.before_save
        changing = method in {"PATCH", "PUT"}
        return self.state.lock if changing and not overlapping else nullcontext()

    def _open_window(self, kind: KindName, row_id: str) -> None:
        if self.race:
            self.stopping.wait(self.race)
        if self.before_save and not self._hooking:
            self._hooking = True
            try:
                self.before_save(kind, row_id)
            finally:
                self._hooking = False


def _negotiate(call: Call) -> None:
    accepted = call.headers.get("accept") or "*/*"
    ranges = {part.partition(";")[0].strip() for part in accepted.split(",")}
    if not ranges & _JSON_RANGES:
        raise not_acceptable()


@dataclass(slots=True)
class _Between:
    hook: Callable[[], object]
    started: bool = False

    def step(self) -> None:
        if self.started:
            self.hook()
        self.started = True
