"""One request, one answer: the seam, and HTTP behind it.

The key goes to its own origin only: a request names a path, never a host, and a redirect is an
error. Nothing that can be printed or raised here holds the key or a request that carries it.
"""

import ipaddress
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol
from urllib.parse import urlencode, urlsplit

import httpx

from dssync.errors import ConfigError, Unreachable, WrongTarget
from dssync.net.secret import Secret

Network = httpx.BaseTransport
"""What HttpTransport sends through; another one stands in for the network in tests."""

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `path` begins with a slash and holds no query; `body` is JSON.

    `around` says that whoever asks reads around rows that cannot be served.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    around: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole; the names of `headers` are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Transport(Protocol):
    """Whatever can send a request. Retry and pacing wrap one and are one."""

    def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status. Raises Unreachable and WrongTarget."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


class HttpTransport:
    """Send requests to one origin with one key; any number of threads may share it.

    `timeout` is in seconds, for each single wait on the network. Raises ConfigError for a host
    that is no https URL (http is for loopback only) or a key that no header can carry.
    Proxies and certificates come from the environment, as httpx reads it; `inner` replaces the
    network.
    """

    def __init__(
        self,
        host: str,
        key: Secret | str,
        *,
        timeout: float = ANSWER_SECONDS,
        inner: Network | None = None,
    ) -> None:
        self._base = origin(host)
        self._client = httpx.Client(
            auth=_Bearer(_checked(key, self._base.host)),
            headers={"Accept": "application/json", "User-Agent": f"dssync/{_version()}"},
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            transport=inner,
            # an unencrypted loopback request must not pass through anybody's proxy
            trust_env=self._base.scheme == "https",
        )

    def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status. Raises Unreachable, and WrongTarget for 3xx."""
        try:
            response = self._client.request(
                request.method,
                self._url(request),
                content=request.body,
                headers={"Content-Type": "application/json"} if request.body is not None else None,
            )
        except (httpx.TransportError, httpx.DecodingError) as error:
            failure = _unreachable(self._base.host, error)
        else:
            _check_whole(response, self._base.host)
            answer = Answer(response.status_code, dict(response.headers), response.content)
            return _not_a_redirect(answer, self._base.host)
        raise failure  # outside the handler, so that it carries no request along

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _url(self, request: Request) -> httpx.URL:
        query = f"?{urlencode(request.query, safe=',')}" if request.query else ""
        path = self._base.path.rstrip("/") + request.path
        return self._base.copy_with(raw_path=f"{path}{query}".encode("ascii"))


class ReadOnly:
    """Refuse everything but GET: what only reads cannot write by mistake."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, request: Request) -> Answer:
        """Return the answer to a GET. Raises ValueError for any other method."""
        if request.method != "GET":
            raise ValueError(f"{request.method} {request.path} was tried where nothing may write")
        return self._transport.send(request)

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()


def origin(host: str) -> httpx.URL:
    """Read a host as a URL the key may be sent to. Raises ConfigError."""
    try:
        url = httpx.URL(host)
    except httpx.InvalidURL:
        raise ConfigError("a host is not a URL", hint=_HOST_HINT) from None
    if url.userinfo:
        raise ConfigError(f"the host {url.host} must not carry a user name", hint=_HOST_HINT)
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(f"the host {host!r} is not a URL", hint=_HOST_HINT)
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigError(
            f"the host {url.host} is not encrypted, so no key is sent to it",
            hint=f"write https://{url.host}",
        )
    return url


_HOST_HINT = "write a host as https://us.posthog.com"


def is_loopback(name: str) -> bool:
    """Tell whether a host name means this very machine."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


class _Bearer(httpx.Auth):
    """Add the key to each request as it leaves."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


def _checked(key: Secret | str, host: str) -> Secret:
    secret = key if isinstance(key, Secret) else Secret(key)
    if not all("!" <= c <= "~" for c in secret.reveal()) or not secret.reveal():
        # the libraries below would quote the whole header in their own message
        raise ConfigError(
            f"the key for {host} is empty or has characters that no key has",
            hint="copy the personal API key (phx_…) again",
        )
    return secret


def _version() -> str:
    try:
        return version("dssync")
    except PackageNotFoundError:
        return "source"


_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def _unreachable(host: str, error: httpx.RequestError) -> Unreachable:
    if isinstance(error, _NEVER_SENT):
        return Unreachable(f"{host} cannot be reached ({_words(error)})", perhaps_applied=False)
    return Unreachable(f"{host} gave no whole answer ({_words(error)})", perhaps_applied=True)


_SILENT: Mapping[type[httpx.RequestError], str] = {
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "no free connection in time",
    httpx.ReadTimeout: "no answer in time",
    httpx.WriteTimeout: "not sent in time",
}


def _words(error: httpx.RequestError) -> str:
    return _SILENT.get(type(error)) or str(error) or "the connection broke"


def _check_whole(response: httpx.Response, host: str) -> None:
    announced = response.headers.get("Content-Length", "")
    plain = "Content-Encoding" not in response.headers
    if plain and announced.isdecimal() and int(announced) > len(response.content):
        raise Unreachable(f"{host} gave no whole answer (it was cut short)", perhaps_applied=True)


def _not_a_redirect(answer: Answer, host: str) -> Answer:
    if not 300 <= answer.status < 400:
        return answer
    target = urlsplit(answer.headers.get("location", "")).hostname or "another page of its own"
    raise WrongTarget(
        f"{host} redirects to {target} instead of answering",
        hint="check the host in the configuration; it is the address the app itself opens under",
    )
