"""Where keys come from. They are looked up when a request needs one, and written nowhere."""

import importlib
import json
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dssync.errors import ConfigError, DssyncError, KeyMissing
from dssync.hosts import DEFAULT_HOST, normal_host
from dssync.net.secret import Secret

KeyKind = Literal["default", "key_env", "key_file", "key_command", "key_keyring"]

KEY_KINDS: tuple[KeyKind, ...] = ("key_env", "key_file", "key_command", "key_keyring")
"""The kinds that a configuration names."""

KEY_VARIABLES = ("POSTHOG_PERSONAL_API_KEY", "POSTHOG_CLI_API_KEY", "POSTHOG_CLI_TOKEN")
SHARED_KEY_VARIABLE = "POSTHOG_API_KEY"
"""Mostly a project's own phc_ key; it counts only where it holds a personal one."""

COMMAND_SECONDS = 60

_WHICH_KEY = (
    "make a personal API key (phx_…) with the scopes dataset:read and dataset:write in PostHog "
    "under Settings → Personal API keys, and put it into POSTHOG_PERSONAL_API_KEY"
)


@dataclass(frozen=True, slots=True)
class KeySource:
    """A variable, a file, a command, or a keyring's service, by name; or the default.

    The default is PostHog's own variables, then the credentials its command line has for the host.
    """

    kind: KeyKind = "default"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose key is wanted: the remote's name and host, and what a key file is relative to."""

    name: str
    host: str
    folder: Path
    env: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What PostHog's own command line has saved; all empty where it has not."""

    host: str = DEFAULT_HOST
    token: str = field(default="", repr=False)
    number: str = ""


def look_up(source: KeySource, asking: Asking) -> Secret:
    """Return a key. Raises KeyMissing, and ConfigError for a source that cannot work."""
    key = _SOURCES[source.kind](source.value, asking).strip()
    if key.startswith("phc_"):
        raise KeyMissing(
            f"the key of {asking.name} is a project key (phc_…), which can only send events",
            hint=_WHICH_KEY,
        )
    if not key:
        raise KeyMissing(f"no key was found for {asking.name}", hint=_WHICH_KEY)
    return Secret(key)


def key_in_variables(env: Mapping[str, str]) -> str:
    """Return the key that PostHog's variables hold, or an empty text."""
    own = next((env[name] for name in KEY_VARIABLES if env.get(name)), "")
    shared = env.get(SHARED_KEY_VARIABLE, "")
    return own or (shared if shared.startswith("phx_") else "")


def credentials() -> Credentials:
    """Read what PostHog's command line saved; a file that is not its own counts as none."""
    try:
        text = (Path.home() / ".posthog" / "credentials.json").read_text(encoding="utf-8")
        saved = json.loads(text)
    except (OSError, ValueError):
        return Credentials()
    if not isinstance(saved, dict) or not isinstance(saved.get("token"), str):
        return Credentials()
    host = normal_host(str(saved.get("host") or DEFAULT_HOST))
    return Credentials(host, saved["token"], str(saved.get("env_id") or ""))


def _from_default(_: str, asking: Asking) -> str:
    found = key_in_variables(asking.env)
    if not found:
        saved = credentials()
        found = saved.token if saved.host == asking.host else ""
    return found or asking.env.get(SHARED_KEY_VARIABLE, "")


def _from_variable(name: str, asking: Asking) -> str:
    if not asking.env.get(name):
        raise KeyMissing(
            f"the variable {name}, which holds the key of {asking.name}, is not set",
            hint=f"export {name}=phx_…",
        )
    return asking.env[name]


def _from_file(name: str, asking: Asking) -> str:
    path = asking.folder / Path(name).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
    raise _unusable(asking, f"the file {path} cannot be read ({why})")


def _from_command(line: str, asking: Asking) -> str:
    try:
        words = shlex.split(line)
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=dict(asking.env),
            cwd=asking.folder,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except ValueError:
        why = "its quotes do not match"
    except subprocess.TimeoutExpired:
        why = f"no answer in {COMMAND_SECONDS} seconds"
    except OSError as error:
        why = error.strerror or "it cannot be run"
    else:
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace")
        why = f"it ended with {done.returncode}"
    # raised outside the handlers, whose errors hold what the command wrote
    raise _unusable(asking, f"the command {line!r} failed ({why})")


def _from_keyring(service: str, asking: Asking) -> str:
    try:
        keyring = importlib.import_module("keyring")
    except ModuleNotFoundError:
        raise ConfigError(
            f"the key of {asking.name} is in a keyring, which needs one more package",
            hint="pip install 'dssync[keyring]'",
        ) from None
    try:
        found = keyring.get_password(service, asking.name)
    except keyring.errors.KeyringError:
        found = None
    if not found:
        hint = f"keyring set {service} {asking.name}"
        raise KeyMissing(f"the keyring has no key of {asking.name} under {service}", hint=hint)
    return str(found)


def _unusable(asking: Asking, what: str) -> DssyncError:
    return KeyMissing(f"there is no key for {asking.name}: {what}")


_SOURCES: Mapping[KeyKind, Callable[[str, Asking], str]] = {
    "default": _from_default,
    "key_env": _from_variable,
    "key_file": _from_file,
    "key_command": _from_command,
    "key_keyring": _from_keyring,
}
