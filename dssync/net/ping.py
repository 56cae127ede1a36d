"""Tell a URL that something began or ended, within seconds, whatever its server does.

Such a URL is a secret: whoever has it can say that all is well. No error here holds it, nor more of
it than its host; it is sent to that host only, redirects are not followed.
"""

import logging
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from dssync.errors import ConfigError
from dssync.net.secret import Secret
from dssync.net.transport import is_loopback

SECONDS = 5.0
"""How long a ping may take in all, looking up the name included."""

ASKED_OTHERWISE = (404, 405)
"""What servers answer to a POST that know pings as a GET only."""

_pinging = threading.local()
# httpx logs every URL that it asks for
logging.getLogger("httpx").addFilter(lambda _: not getattr(_pinging, "now", False))


@dataclass(frozen=True, slots=True)
class Ping:
    """A URL to tell; `suffix` is added to its path. Raises ConfigError for one that cannot be.

    `what` names it for people.
    """

    url: Secret
    what: str
    suffix: str = ""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url.reveal())
            usable = bool(parts.hostname) and parts.scheme in ("http", "https")
            httpx.URL(self.url.reveal())
        except (ValueError, httpx.InvalidURL):
            usable = False
        if not usable:
            raise ConfigError(f"{self.what} is no URL", hint="it begins with https://")
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ConfigError(
                f"{self.what} is not encrypted, and whoever reads it could say that all is well",
                hint="it begins with https://; http:// is for this machine only",
            )

    @property
    def host(self) -> str:
        """Return the only part of the URL that may be shown."""
        return urlsplit(self.url.reveal()).hostname or ""

    def send(self, body: str, seconds: float = SECONDS) -> str:
        """Send it, and return why it did not arrive; an empty text where it did.

        The thread that sends is left behind when the time is up: a name that is being looked up
        cannot be interrupted in any other way.
        """
        sending = _Sending(self, body, seconds)
        thread = threading.Thread(target=sending.go, name="dssync-ping", daemon=True)
        thread.start()
        thread.join(seconds)
        return sending.why


@dataclass(slots=True)
class _Sending:
    ping: Ping
    body: str
    seconds: float
    why: str = field(init=False)

    def __post_init__(self) -> None:
        self.why = f"no answer in {self.seconds:g} s"

    def go(self) -> None:
        _pinging.now = True
        try:
            self.why = self._why()
        except httpx.HTTPError as error:
            self.why = _SAID.get(type(error), "the connection broke")
        # what else a ping dies of becomes a warning in the receipt: it must not end a backup, and
        # a traceback of this thread would show the URL, which is a secret
        except Exception:  # noqa: BLE001
            self.why = "it could not be sent"

    def _why(self) -> str:
        url = _addressed(self.ping)
        with httpx.Client(
            timeout=self.seconds, trust_env=url.scheme == "https", follow_redirects=False
        ) as client:
            status = _status(client, "POST", url, self.body)
            if status in ASKED_OTHERWISE:
                status = _status(client, "GET", url, None)
        if 300 <= status < 400:
            return f"it redirects elsewhere ({status})"
        return "" if 200 <= status < 300 else f"it answered {status}"


_SAID: dict[type[BaseException], str] = {
    httpx.ConnectError: "no connection",
    httpx.ConnectTimeout: "no connection in time",
    httpx.ReadTimeout: "no answer in time",
}


def _addressed(ping: Ping) -> httpx.URL:
    url = httpx.URL(ping.url.reveal())
    path, mark, query = url.raw_path.partition(b"?")
    raw = path.rstrip(b"/") + ping.suffix.encode() if ping.suffix else path
    return url.copy_with(raw_path=raw + mark + query)


def _status(client: httpx.Client, method: str, url: httpx.URL, body: str | None) -> int:
    """Return the answer's status; its body is left unread."""
    content = None if body is None else body.encode("utf-8", "replace")
    headers = {"Content-Type": "text/plain; charset=utf-8"} if content is not None else {}
    with client.stream(method, url, content=content, headers=headers) as answer:
        return answer.status_code
