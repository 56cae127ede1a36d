"""What starts backups every night, printed for the machine at hand."""

import getpass
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dssync.cli.backing import Wishes
from dssync.cli.context import Context
from dssync.cli.render.schedule import ScheduleView
from dssync.config import Remote, Settings
from dssync.core.brakes import FLAG
from dssync.core.schedule import Job, crontab, service, span, timer
from dssync.errors import UsageError
from dssync.keys import KEY_VARIABLES
from dssync.mirror.place import path_of
from dssync.net.ledger import state_folder
from dssync.notice import VARIABLE

SECRETS = "dssync.env"
"""The file beside the configuration that systemd takes keys from."""

JITTER, WAIT = 600.0, 3600.0
"""Of a line for which nothing else was asked, in seconds."""

TEXTS: Mapping[str, Callable[[Job], str]] = {
    "crontab": crontab,
    "service": service,
    "timer": timer,
}


def print_schedule(context: Context, wishes: Wishes, names: tuple[str, ...]) -> int:
    """Print these texts. Raises UsageError for a path that one of them cannot hold."""
    settings = context.settings()
    job = _job(context, settings, context.remotes(settings), wishes)
    try:
        texts = {name: TEXTS[name](job) for name in names}
    except ValueError as error:
        raise UsageError(str(error), hint="use a folder with a plainer name") from None
    return context.finish(ScheduleView(texts))


def _job(context: Context, settings: Settings, remotes: list[Remote], wishes: Wishes) -> Job:
    folder, mirror = context.given.folder.absolute(), path_of(settings.mirror)
    return Job(
        words=(*_program(), "-C", str(folder), "--mirror", str(mirror)),
        options=tuple(_options(context, wishes)),
        jitter=span(wishes.jitter or JITTER),
        folder=str(folder),
        user=getpass.getuser(),
        secrets=str(settings.file.parent.absolute() / SECRETS),
        variables=tuple(_variables(settings, remotes)),
        writable=tuple(
            dict.fromkeys(
                str(path.resolve()) for path in _writable(settings, mirror, wishes, folder)
            )
        ),
    )


def _program() -> tuple[str, ...]:
    """Return what runs this very program, wherever it is started from."""
    called = shutil.which(sys.argv[0])
    if called and Path(called).name == "dssync":
        return (str(Path(called).absolute()),)
    return (sys.executable, "-m", "dssync")


def _options(context: Context, wishes: Wishes) -> Iterator[str]:
    yield "--quiet"
    for name in context.given.remotes:
        yield from ("-r", name)
    yield from ("--wait", span(wishes.wait or WAIT))
    if wishes.max_wait is not None:
        yield from ("--max-wait", span(wishes.max_wait))
    if wishes.limit is not None:
        yield from (FLAG, str(wishes.limit).replace(",", ""))
    if wishes.prune:
        yield "--prune"
    if wishes.log_json:
        yield from ("--log-json", wishes.log_json)


def _variables(settings: Settings, remotes: list[Remote]) -> Iterator[str]:
    """Name the variables that the run needs, of which a scheduler knows nothing."""
    names = [remote.key.value for remote in remotes if remote.key.kind == "key_env"]
    if any(remote.key.kind == "default" for remote in remotes):
        names.append(next((each for each in KEY_VARIABLES if each in os.environ), KEY_VARIABLES[0]))
    if not settings.remotes or not settings.file.exists():
        names += [name for name in os.environ if name.startswith("POSTHOG_")]
    if settings.offsite is not None and settings.offsite.folder is None:
        names += [name for name in os.environ if name.startswith("AWS_")]
    names += [name for name in (VARIABLE, "DSSYNC_STATE_DIR") if os.environ.get(name)]
    yield from dict.fromkeys(names)


def _writable(settings: Settings, mirror: Path, wishes: Wishes, folder: Path) -> Iterator[Path]:
    yield mirror.parent
    yield state_folder()
    if settings.offsite is not None and settings.offsite.folder is not None:
        yield settings.offsite.folder
    if settings.notice.textfile is not None:
        yield settings.notice.textfile.parent
    if wishes.log_json and wishes.log_json != "-":
        yield (folder / Path(wishes.log_json).expanduser()).parent
