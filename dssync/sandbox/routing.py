"""Which paths the server has."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from dssync.sandbox.errors import not_found
from dssync.sandbox.fields import KINDS, KindName
from dssync.sandbox.wire import Answer, html_answer

LONGEST_TARGET = 8150
"""About 218 ids fit into `id__in`; servers in front refuse longer request lines."""

_ROUTE = re.compile(
    r"/api/(?:environments|projects)/(?P<project>[^/]+)/(?P<path>[a-z_]+)(?:/(?P<record>[^/]+))?/?"
)
_KIND_BY_PATH: dict[str, KindName] = {kind.path: kind.name for kind in KINDS.values()}


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the datasets API, as its texts; `record` is None for the list."""

    kind: KindName
    project: str
    record: str | None


def find_route(path: str) -> Route:
    """Return the route of a path below /api; raises a 404."""
    match = _ROUTE.fullmatch(path)
    kind = _KIND_BY_PATH.get(match["path"]) if match else None
    if match is None or kind is None:
        raise not_found("Endpoint not found.")
    return Route(kind, match["project"], match["record"])


def answer_outside_api(path: str) -> Answer | None:
    """Send every path outside /api to the login page, as a wrong base URL gets to see."""
    if path == "/api" or path.startswith("/api/"):
        return None
    if path.rstrip("/") == "/login":
        return login_page()
    return html_answer(302, "Found", (("Location", f"/login?next={quote(path)}"),))


def login_page() -> Answer:
    """Return the page a person would log in on."""
    return html_answer(200, "Log in to PostHog")
