"""Every error this program raises on purpose, as one tree.

    DssyncError                     1  unclassified
    ├── UsageError                  2  the call or an input file is wrong
    │   ├── ConfigError                a configuration that cannot be used
    │   ├── UnknownRecord              a name that fits no record, or several
    │   ├── UnknownField               an attribute that is no field; an AttributeError, too
    │   ├── ReadOnly                   what cannot be edited that way; a TypeError, too
    │   ├── UnknownRun                 a run that never was, or is no longer kept
    │   └── InvalidRecords             values the server would refuse, all listed
    ├── ApiError                    3  the server's word about one record
    │   ├── NotFound                   404: deleted, gone, or no longer yours
    │   ├── Invalid                    400: a value was refused
    │   └── MethodNotAllowed           405: hard deletion, for one
    ├── TemporaryError              5  run again later
    │   ├── Unreachable                no usable answer came back
    │   ├── ServerTrouble              a 5xx that stayed
    │   └── Throttled                  429 that outlasted our patience
    ├── Refused                     6  not the target, plan or file that was meant
    │   ├── WrongTarget                unknown project, a login page, a redirect
    │   ├── ContractMismatch           the server speaks another contract
    │   ├── MirrorTooNew               written by a newer dssync
    │   ├── StalePlan                  no longer what was reviewed
    │   ├── Overtaken                  a record changed while it was edited
    │   └── Declined                   somebody said No
    ├── AccessError                 7  key, scope or access
    │   ├── KeyMissing
    │   └── KeyRejected                401, or 403 for a scope or project
    ├── Brake                       8  a suspiciously large loss
    ├── MirrorDamaged               9
    ├── BundleDamaged               9
    ├── CopyDamaged                 9
    ├── NotVerified                 9  the server does not show what was written
    ├── NoMirror                   10  there is none, or the file is no mirror
    ├── Locked                     11  another run holds the mirror
    └── Interrupted           130, 143  a signal asked to stop; everything so far is kept

A message says in one sentence what happened and to what; `hint` says what to type next.
"""

from collections.abc import Sequence


class DssyncError(Exception):
    """Base of all: a sentence, what to type next, and an exit code."""

    exit_code: int = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(hint)  # tracebacks show notes

    @property
    def code(self) -> str:
        """Name the error for programs: its class in snake case."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class UsageError(DssyncError):
    """The call, or an input file, is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration cannot be used."""


class UnknownRecord(UsageError):
    """A name that fits no record, or more than one."""


class UnknownField(UsageError, AttributeError):
    """A name that is no field of a record."""


class ReadOnly(UsageError, TypeError):
    """Something that cannot be edited, or not in that way."""


class UnknownRun(UsageError):
    """A run that never was, or that is no longer kept."""


class InvalidRecords(UsageError):
    """Values that the server would refuse or could never show again; nothing was sent."""

    def __init__(self, problems: Sequence[object], *, hint: str = "") -> None:
        listed = "\n".join(f"  {problem}" for problem in problems)
        count = "1 value" if len(problems) == 1 else f"{len(problems)} values"
        super().__init__(f"{count} would be refused, so nothing was sent:\n{listed}", hint=hint)
        self.problems = tuple(problems)


class ApiError(DssyncError):
    """The server's word about one request: status, type, code, detail, attr."""

    exit_code = 3

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        error_type: str = "",
        error_code: str = "",
        attr: str | None = None,
    ) -> None:
        about = f"{attr}: " if attr else ""
        super().__init__(f"the server answered {status}: {about}{detail}")
        self.status = status
        self.detail = detail
        self.error_type = error_type
        self.error_code = error_code
        self.attr = attr


class NotFound(ApiError):
    """404: the record is deleted, gone, or no longer yours; it does not prove which."""


class Invalid(ApiError):
    """400: the server refused a value."""


class MethodNotAllowed(ApiError):
    """405: the server has no such method; datasets are deleted by PATCH, never by DELETE."""


class TemporaryError(DssyncError):
    """Run again later.

    `perhaps_applied` is False only where a write surely did not happen.
    """

    exit_code = 5

    def __init__(self, message: str, *, hint: str = "", perhaps_applied: bool = True) -> None:
        super().__init__(message, hint=hint or "run the same command again later")
        self.perhaps_applied = perhaps_applied


class Unreachable(TemporaryError):
    """No usable answer: connection refused or cut, a time-out, a truncated body."""


class ServerTrouble(TemporaryError):
    """The server answered 5xx, again and again; `status` is the last one."""

    def __init__(self, message: str, *, status: int, hint: str = "", perhaps_applied: bool) -> None:
        super().__init__(message, hint=hint, perhaps_applied=perhaps_applied)
        self.status = status


class Throttled(TemporaryError):
    """The key's rate limit is used up for longer than we were told to wait."""


class Refused(DssyncError):
    """Not the target, plan or file that was meant."""

    exit_code = 6


class WrongTarget(Refused):
    """The answer is not this API's, or the project is not the one that was meant."""


class ContractMismatch(Refused):
    """The server speaks another contract than the mirror remembers or the program knows."""


class MirrorTooNew(Refused):
    """The mirror was written by a newer version of the program."""


class StalePlan(Refused):
    """The plan, or the digest, is no longer what was reviewed."""


class Overtaken(Refused):
    """A record changed while somebody edited what had been read of it; nothing was written."""


class Declined(Refused):
    """The question was answered with No; nothing was sent."""


class AccessError(DssyncError):
    """The key, its scopes or its projects do not allow this."""

    exit_code = 7


class KeyMissing(AccessError):
    """No key was found anywhere."""


class KeyRejected(AccessError):
    """The server rejects the key (401), or the key lacks a scope or project (403)."""


class Brake(DssyncError):
    """A suspiciously large loss was stopped before it happened."""

    exit_code = 8


class MirrorDamaged(DssyncError):
    """The mirror's file or contents are damaged."""

    exit_code = 9


class BundleDamaged(DssyncError):
    """A file is no bundle, or not as it was written; the message says where."""

    exit_code = 9


class CopyDamaged(DssyncError):
    """A copy off-site is not as it was made; the message says where."""

    exit_code = 9


class NotVerified(DssyncError):
    """What was written was read back, and is not what it should be."""

    exit_code = 9


class NoMirror(DssyncError):
    """There is no mirror here, or the file is not one."""

    exit_code = 10


class Locked(DssyncError):
    """Another run holds the mirror."""

    exit_code = 11


class Interrupted(DssyncError):
    """A signal asked to stop; what was done is kept, and the next run goes on from there."""

    def __init__(self, signal: int) -> None:
        super().__init__(
            "interrupted; everything so far is kept", hint="run the same command to go on"
        )
        self.exit_code = 128 + signal
