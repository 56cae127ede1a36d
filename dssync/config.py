"""Which remotes there are, where the mirror is, and where each key comes from.

One file: `dssync.toml` in the folder, else in the user's own configuration folder.

    mirror = "sqlite:///mirror.db"

    [remotes.prod]
    host = "https://eu.posthog.com"
    environment = 2
    key_env = "PROD_KEY"        # or key_file, key_command, key_keyring
    max_delete = "30%"          # or a number; how much may be lost before a run stops

    [forget]                    # or [remotes.prod.forget], for one remote
    keep_daily = 7              # and [offsite], see `policy` and `notice`

Where it names no remote, or there is no file, PostHog's own variables and the credentials of its
command line make one. Keys are looked up by `find_key` only, so what works offline needs none.
"""

import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import platformdirs

from dssync.core.brakes import Limit
from dssync.core.retention import Rules
from dssync.errors import ConfigError
from dssync.hosts import DEFAULT_HOST, host_notice, normal_host
from dssync.keys import (
    KEY_KINDS,
    Asking,
    Credentials,
    KeySource,
    credentials,
    key_in_variables,
    look_up,
)
from dssync.net.secret import Secret
from dssync.notice import NOBODY, Notice, written_notice
from dssync.policy import Offsite, written_limit, written_offsite, written_rules

__all__ = [
    "KeySource",
    "Remote",
    "Secret",
    "Settings",
    "add_remote",
    "find_key",
    "load",
    "mirror_url",
    "normal_host",
    "remove_remote",
]

Scope = Literal["environment", "project"]
Place = tuple[Scope, str]

FILE = "dssync.toml"
DEFAULT_MIRROR = "sqlite:///mirror.db"

ID_VARIABLES: tuple[tuple[str, Scope], ...] = (
    ("POSTHOG_ENVIRONMENT_ID", "environment"),
    ("POSTHOG_PROJECT_ID", "project"),
    ("POSTHOG_CLI_PROJECT_ID", "project"),
    ("POSTHOG_CLI_ENV_ID", "environment"),
)

_TOP_ENTRIES = ("mirror", "remotes", "forget", "offsite", "heartbeat", "metrics")
_REMOTE_ENTRIES = ("host", "environment", "project", "max_delete", "forget", *KEY_KINDS)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Remote:
    """A named environment or project of one host; `folder` is what a key file is relative to.

    `max_delete` is how much of it may be lost in one run, and `keep` which snapshots `forget`
    keeps, where the configuration says so of this remote.
    """

    name: str
    host: str
    scope: Scope
    id: str
    key: KeySource = field(default_factory=KeySource)
    folder: Path = field(default=Path(), compare=False)
    max_delete: Limit | None = None
    keep: Rules | None = None

    def same_place(self, other: "Remote") -> bool:
        """Tell whether two remotes are one environment or project of one host."""
        return (self.host, self.scope, self.id) == (other.host, other.scope, other.id)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says; `file` is where it was read, or would be written.

    `mirror` is a database URL with an absolute path; `notices` are sentences people should read.
    `keep` is which snapshots `forget` keeps of a remote that has no rules of its own, `offsite`
    where copies of the mirror go, `notice` who is told of backups.
    """

    file: Path
    mirror: str
    remotes: Mapping[str, Remote]
    notices: tuple[str, ...] = ()
    keep: Rules | None = None
    offsite: Offsite | None = None
    notice: Notice = NOBODY


def load(
    folder: Path,
    env: Mapping[str, str],
    *,
    mirror: str | None = None,
    host: str | None = None,
    environment: int | str | None = None,
    project: int | str | None = None,
) -> Settings:
    """Read the configuration in force for `folder`; what is given here beats variables and file.

    `environment` or `project` picks the configured remote of that number, else makes one of that
    alone, on `host`. Raises ConfigError.
    """
    file = _file_in_force(folder)
    written = _read(file)
    remotes = _written_remotes(written, file)
    asked = _place(environment, project)
    if asked and not host:
        remotes = {r.name: r for r in remotes.values() if (r.scope, r.id) == asked}
    notice = ""
    if not remotes or (asked and host):
        remotes, notice = _from_variables(env, host, asked)
    where = mirror or env.get("DSSYNC_MIRROR") or written.get("mirror", DEFAULT_MIRROR)
    notices, keep = (notice,) if notice else (), written_rules(written, file)
    offsite, notice_of = written_offsite(written, file), written_notice(written, file, env)
    url = mirror_url(where, file.parent)
    return Settings(file, url, remotes, notices, keep, offsite, notice_of)


def find_key(remote: Remote, env: Mapping[str, str]) -> Secret:
    """Look up a remote's key. Raises KeyMissing, and ConfigError for a source that cannot work."""
    return look_up(remote.key, Asking(remote.name, remote.host, remote.folder, env))


def add_remote(
    settings: Settings,
    name: str,
    *,
    host: str | None = None,
    environment: int | str | None = None,
    project: int | str | None = None,
    key: KeySource | None = None,
) -> Remote:
    """Write a new remote into the configuration in force, comments kept. Raises ConfigError."""
    import tomlkit

    place = _place(environment, project)
    if place is None:
        raise ConfigError(f"the remote {name} needs the number of an environment or a project")
    remote = Remote(
        _checked_name(name),
        normal_host(host or DEFAULT_HOST),
        *place,
        key or KeySource(),
        settings.file.parent,
    )
    _check_new(remote, _written_remotes(_read(settings.file), settings.file))
    document = tomlkit.parse(_text_of(settings.file))
    remotes = document.setdefault("remotes", tomlkit.table(is_super_table=True))
    remotes[name] = _entries(remote)
    _write(settings.file, tomlkit.dumps(document))
    return remote


def remove_remote(settings: Settings, name: str) -> None:
    """Take a remote out of the configuration in force. Raises ConfigError if it is not there."""
    import tomlkit

    document = tomlkit.parse(_text_of(settings.file))
    remotes = document.get("remotes", {})
    if name not in remotes:
        raise ConfigError(f"{settings.file} has no remote {name}", hint="see dssync remote list")
    del remotes[name]
    _write(settings.file, tomlkit.dumps(document))


def mirror_url(text: str, folder: Path) -> str:
    """Return the database URL that a path or URL means, relative paths taken from `folder`.

    >>> mirror_url("a/b.db", Path("/data"))
    'sqlite:////data/a/b.db'
    """
    path = text.removeprefix("sqlite:///")
    if "://" in path:
        return text
    return f"sqlite:///{(folder / Path(path).expanduser()).absolute().as_posix()}"


def _file_in_force(folder: Path) -> Path:
    here = folder / FILE
    own = platformdirs.user_config_path("dssync") / FILE
    return own if own.is_file() and not here.exists() else here


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read ({error})") from None


def _write(file: Path, text: str) -> None:
    target = file.resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{FILE}")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    if target.exists():
        shutil.copymode(target, name)
    Path(name).replace(target)


def _read(file: Path) -> dict[str, Any]:
    try:
        written = tomllib.loads(_text_of(file))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    _refuse_unknown(written, _TOP_ENTRIES, str(file))
    if not isinstance(written.get("mirror", ""), str):
        raise ConfigError(f"{file}: mirror is a path or a URL, in quotes")
    return written


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in table:
        if name not in known:
            raise ConfigError(
                f"{where} has an unknown entry {name}; it may hold {', '.join(known)}"
            )


def _written_remotes(written: Mapping[str, Any], file: Path) -> dict[str, Remote]:
    tables = written.get("remotes", {})
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise ConfigError(f"{file}: a remote is written as [remotes.NAME]")
    remotes: dict[str, Remote] = {}
    for name, table in tables.items():
        remote = _written_remote(_checked_name(name), table, file)
        _check_new(remote, remotes)
        remotes[name] = remote
    return remotes


def _written_remote(name: str, table: Mapping[str, Any], file: Path) -> Remote:
    where = f"{file}: the remote {name}"
    _refuse_unknown(table, _REMOTE_ENTRIES, where)
    keys = [KeySource(kind, str(table[kind])) for kind in KEY_KINDS if kind in table]
    place = _place(table.get("environment"), table.get("project"))
    if place is None:
        raise ConfigError(f"{where} needs an environment or a project")
    if len(keys) > 1:
        raise ConfigError(f"{where} takes its key from one source, not from {len(keys)}")
    host = normal_host(str(table.get("host", DEFAULT_HOST)))
    key = keys[0] if keys else KeySource()
    keep = written_rules(table, file, "remotes", name)
    return Remote(name, host, *place, key, file.parent, written_limit(name, table, file), keep)


def _entries(remote: Remote) -> dict[str, str | int]:
    entries: dict[str, str | int] = {"host": remote.host, remote.scope: int(remote.id)}
    if remote.key.kind != "default":
        entries[remote.key.kind] = remote.key.value
    return entries


def _check_new(remote: Remote, known: Mapping[str, Remote]) -> None:
    if remote.name in known:
        raise ConfigError(f"there is a remote {remote.name} already", hint="choose another name")
    twin = next((other for other in known.values() if remote.same_place(other)), None)
    if twin:
        raise ConfigError(f"{remote.name} is the same {remote.scope} as the remote {twin.name}")


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot name a remote", hint="use letters, digits, hyphens and underscores"
        )
    return name


def _place(environment: object, project: object) -> Place | None:
    """Return the scope and number that were asked for; an environment beats a project."""
    scope: Scope = "project" if environment is None else "environment"
    number = project if environment is None else environment
    if number is None:
        return None
    if not re.fullmatch("[0-9]+", str(number)):
        raise ConfigError(f"{number!r} is not the number of a {scope}")
    return scope, str(int(str(number)))


def _from_variables(
    env: Mapping[str, str], host: str | None, asked: Place | None
) -> tuple[dict[str, Remote], str]:
    """Make the one remote that needs no file, with a notice on its host.

    The host and the number come from where the key does, never from the other source.
    """
    saved = Credentials() if key_in_variables(env) else credentials()
    place = asked or _place_in_variables(env) or _place(saved.number or None, None)
    if place is None:
        return {}, ""
    given = host or (saved.host if saved.token else env.get("POSTHOG_HOST")) or DEFAULT_HOST
    remote = Remote("-".join(place), normal_host(given), *place)
    return {remote.name: remote}, host_notice(given)


def _place_in_variables(env: Mapping[str, str]) -> Place | None:
    for name, scope in ID_VARIABLES:
        if number := env.get(name):
            return _place(number, None) if scope == "environment" else _place(None, number)
    return None
