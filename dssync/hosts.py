"""The address of a PostHog, as people write it and as the program does."""

from urllib.parse import SplitResult, urlsplit

from dssync.errors import ConfigError

DEFAULT_HOST = "https://us.posthog.com"

_SHORT = {"us": DEFAULT_HOST, "eu": "https://eu.posthog.com"}
_INGESTION = {"us.i.posthog.com": _SHORT["us"], "eu.i.posthog.com": _SHORT["eu"]}


def normal_host(text: str) -> str:
    """Return a host as the program writes it; one that only takes events becomes the app's.

    Raises ConfigError.

    >>> normal_host("eu"), normal_host("PostHog.example.com/")
    ('https://eu.posthog.com', 'https://posthog.example.com')
    """
    parts = _split(text)
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise _bad(text)
    plain = f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
    return _INGESTION.get(parts.hostname, plain)


def host_notice(text: str) -> str:
    """Say what people should know of the host they gave; mostly nothing, an empty text."""
    name = _split(text).hostname or ""
    used = _INGESTION.get(name)
    return f"{name} only takes events; {used} is used instead" if used else ""


def _split(text: str) -> SplitResult:
    given = _SHORT.get(text.strip().lower(), text.strip())
    try:
        parts = urlsplit(given if "://" in given else f"https://{given}")
        parts.port  # noqa: B018 - a property that raises
    except ValueError:
        raise _bad(text) from None
    return parts


def _bad(text: str) -> ConfigError:
    shown = text.rpartition("@")[2]  # what stands before it may be a password
    return ConfigError(f"the host {shown!r} is not a plain URL", hint=f"write it as {DEFAULT_HOST}")
