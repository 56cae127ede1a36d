"""Who may do what: keys, their scopes, and the projects they reach."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dssync.sandbox.errors import (
    authentication_failed,
    not_authenticated,
    not_found,
    permission_denied,
)

READ = "dataset:read"
WRITE = "dataset:write"

_BEARER = re.compile(r"Bearer\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class Project:
    """A project, which is also the environment of the same id; `member` opens it to all keys."""

    id: int
    name: str
    member: bool = True


@dataclass(frozen=True, slots=True)
class Key:
    """A personal API key. `projects` None reaches all of them; `person` is whom it acts for."""

    name: str
    scopes: frozenset[str]
    projects: frozenset[int] | None
    person: int


class Access:
    """The keys and projects of one sandbox."""

    def __init__(self) -> None:
        self.projects: dict[int, Project] = {}
        self._keys: dict[str, Key] = {}

    def add_key(self, value: str, key: Key) -> None:
        """Make a key known; one of the same value is replaced."""
        self._keys[value] = key

    def revoke(self, value: str) -> None:
        """Forget a key; raises KeyError for one nobody knows."""
        del self._keys[value]

    @property
    def count(self) -> int:
        """Count the known keys."""
        return len(self._keys)

    def named(self, authorization: str | None) -> str | None:
        """Return the name of the key in an Authorization header, for the log."""
        found = _BEARER.fullmatch(authorization or "")
        key = self._keys.get(found[1]) if found else None
        return key.name if key else None

    def identify(self, authorization: str | None) -> Key:
        """Return the key of an Authorization header; raises a 401."""
        found = _BEARER.fullmatch(authorization or "")
        if not found:
            raise not_authenticated()
        key = self._keys.get(found[1])
        if key is None:
            raise authentication_failed()
        return key

    def project(self, text: str) -> Project:
        """Return the project of a path; raises a 404."""
        project = self.projects.get(int(text)) if text.isascii() and text.isdigit() else None
        if project is None:
            raise not_found("Project not found.")
        return project

    def admit(self, key: Key, project: Project, scope: str) -> None:
        """Check that the key reaches the project with this scope; raises a 403."""
        if key.projects is not None and project.id not in key.projects:
            detail = f"API key does not have access to the requested project: ID {project.id}."
            raise permission_denied(detail)
        if scope not in _granted(key.scopes):
            raise permission_denied(f"API key missing required scope '{scope}'")
        if not project.member:
            raise permission_denied("You don't have access to the project.")


def _granted(scopes: Iterable[str]) -> set[str]:
    granted = set(scopes)
    if WRITE in granted or "*" in granted:
        granted |= {READ}
    return granted | {WRITE} if "*" in granted else granted
