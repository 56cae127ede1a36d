"""What starts a backup every night: a line for cron, a service and a timer for systemd.

Each has its own rules for quoting; a path that one of them cannot hold is refused.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HOUR, MINUTE = 2, 17
"""When it starts; not at the full hour, when everybody's jobs do."""


def span(seconds: float) -> str:
    """Write a time as the options do.

    >>> span(600), span(3600), span(90)
    ('10m', '1h', '90s')
    """
    whole = int(seconds)
    for size, unit in ((3600, "h"), (60, "m")):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run, with absolute paths.

    `words` run the program in its folder, `options` are those of the backup; `jitter` is how much
    later than planned it may start. `variables` are those that keys are taken from, `secrets` is
    where systemd should take them from, `writable` are the folders that are written to.
    """

    words: tuple[str, ...]
    options: tuple[str, ...]
    jitter: str
    folder: str
    user: str
    secrets: str
    variables: tuple[str, ...]
    writable: tuple[str, ...]


def crontab(job: Job) -> str:
    """Return the line, with what must be known about it. Raises ValueError with a sentence."""
    words = [*job.words, "backup", *job.options, "--jitter", job.jitter]
    for word in words:
        if re.search(r"[\n\r\\]", word):
            raise ValueError(f"cron cannot hold {word!r}, for its backslash or line break")
    line = shlex.join(words).replace("%", r"\%")
    return "\n".join([*_crontab_head(job), f"{MINUTE} {HOUR} * * * {line}", ""])


def _crontab_head(job: Job) -> Iterator[str]:
    yield "# dssync: a backup every night; put this into `crontab -e`."
    yield "# Cron mails what it prints, which is nothing as long as all is well."
    yield "# MAILTO=you@example.com"
    if job.variables:
        yield "# Cron does not know the variables of your shell. These are needed; better keep"
        yield "# keys in a file (key_file in dssync.toml), for others may read a crontab:"
        yield from (f"# {name}=" for name in job.variables)


def service(job: Job) -> str:
    """Return the service. Raises ValueError with a sentence."""
    return "\n".join([*_service(job), ""])


def _service(job: Job) -> Iterator[str]:
    yield "[Unit]"
    yield "Description=Back up PostHog datasets with dssync"
    yield "Wants=network-online.target"
    yield "After=network-online.target"
    yield "# OnFailure=your-alert@%n.service"
    yield ""
    yield "[Service]"
    yield "Type=oneshot"
    yield f"User={_literal(job.user)}"
    yield f"WorkingDirectory={_literal(job.folder)}"
    yield f"ExecStart={_command([*job.words, 'backup', *job.options])}"
    yield from _secrets(job)
    yield "TimeoutStartSec=12h"
    yield "Nice=10"
    yield "IOSchedulingClass=idle"
    yield ""
    yield "# It writes only here: SQLite keeps two files of its own beside the mirror."
    yield "ProtectSystem=strict"
    yield "ProtectHome=read-only"
    yield from (f"ReadWritePaths=-{_word(path)}" for path in job.writable)
    if not any(re.match("/(var/)?tmp(/|$)", path) for path in (*job.writable, *job.words)):
        yield "PrivateTmp=true"
    yield from HARDENING


def _secrets(job: Job) -> Iterator[str]:
    yield f"# One NAME=value a line, mode 600: {', '.join(job.variables) or 'nothing is needed'}."
    yield f"EnvironmentFile=-{_literal(job.secrets)}"


HARDENING = (
    "UMask=0077",
    "NoNewPrivileges=true",
    "CapabilityBoundingSet=",
    "PrivateDevices=true",
    "ProtectClock=true",
    "ProtectControlGroups=true",
    "ProtectHostname=true",
    "ProtectKernelLogs=true",
    "ProtectKernelModules=true",
    "ProtectKernelTunables=true",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=true",
    "RestrictRealtime=true",
    "RestrictSUIDSGID=true",
    "LockPersonality=true",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
)
"""What a backup never needs. Memory may be made executable: a key_command's program might."""


def timer(job: Job) -> str:
    """Return the timer that starts the service."""
    return "\n".join(
        [
            "[Unit]",
            "Description=Back up PostHog datasets with dssync every night",
            "",
            "[Timer]",
            f"OnCalendar=*-*-* {HOUR:02}:{MINUTE:02}:00",
            f"RandomizedDelaySec={job.jitter}",
            "# A night that the machine slept through is made up for.",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        ]
    )


_SAFE = re.compile(r"[A-Za-z0-9_@+=:,./-]+")


def _command(words: Sequence[str]) -> str:
    """Write a command line for ExecStart=; the colon keeps systemd from reading variables in it."""
    line = " ".join(map(_word, words))
    return f":{line}" if "$" in line else line


def _word(text: str) -> str:
    """Write a word between quotes, where it needs them."""
    if _SAFE.fullmatch(text):
        return text
    escaped = _literal(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _literal(text: str) -> str:
    """Write what takes the whole rest of its line."""
    if re.search(r"[\x00-\x1f\x7f]|\\$", text):
        raise ValueError(f"systemd cannot hold {text!r}, for its control characters")
    return text.replace("%", "%%")
