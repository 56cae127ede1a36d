"""What a command works with: the configuration, the mirror, a session, the screen."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import click

from dssync.cli.options import Given
from dssync.cli.render.screen import Screen
from dssync.cli.render.text import Line
from dssync.cli.render.view import View
from dssync.errors import ConfigError

if TYPE_CHECKING:
    from dssync.config import Remote, Settings
    from dssync.core.plan import Plan
    from dssync.core.receipt import Receipt
    from dssync.mirror import Mirror
    from dssync.sync import Session


@dataclass(frozen=True, slots=True)
class Context:
    """One call of one command."""

    given: Given
    screen: Screen

    @classmethod
    def of(cls, ctx: click.Context) -> Self:
        """Gather what stands before and after the command's name."""
        given = ctx.ensure_object(Given)
        given.command = ctx.command_path.partition(" ")[2]
        return cls(given, screen_of(given))

    def settings(
        self,
        *,
        host: str | None = None,
        environment: int | None = None,
        project: int | None = None,
    ) -> "Settings":
        """Read the configuration in force. Raises ConfigError."""
        from dssync.config import load

        settings = load(
            self.given.folder,
            os.environ,
            mirror=self.given.mirror,
            host=host,
            environment=environment,
            project=project,
        )
        self.screen.tell(Line(notice) for notice in settings.notices)
        return settings

    def remotes(self, settings: "Settings") -> "list[Remote]":
        """Return the configured remotes that are meant. Raises ConfigError for none."""
        known = settings.remotes or self._remembered(settings)
        for name in self.given.remotes:
            if name not in known:
                raise ConfigError(
                    f"no remote is called {name}", hint=f"there is: {', '.join(known) or 'none'}"
                )
        if not known:
            raise ConfigError(
                "no remote is configured", hint="dssync remote add NAME --environment ID"
            )
        return [known[name] for name in self.given.remotes or known]

    def _remembered(self, settings: "Settings") -> "dict[str, Remote]":
        """Return the mirror's own remotes, for calls after one that named its project by option.

        The host must be the one that the variables name: a mirror from elsewhere must not be able
        to send the key anywhere.
        """
        from pathlib import Path

        from dssync.config import load
        from dssync.mirror import Mirror
        from dssync.mirror.place import path_of

        if not Path(path_of(settings.mirror)).exists():
            return {}
        with Mirror.open(settings.mirror) as mirror:
            known = mirror.remotes()
        made = {
            remote.name: load(
                self.given.folder, os.environ, **{remote.scope: remote.project}
            ).remotes
            for remote in known
        }
        return {
            remote.name: replace(found, name=remote.name)
            for remote in known
            for found in made[remote.name].values()
            if found.host == remote.host
        }

    @contextmanager
    def mirror(
        self, settings: "Settings | None" = None, *, create: bool = False
    ) -> "Iterator[Mirror]":
        """Open the mirror. Raises NoMirror, MirrorTooNew, MirrorDamaged."""
        from dssync.mirror import Mirror

        location = (settings or self.settings()).mirror
        with Mirror.open(location, create=create) as mirror:
            yield mirror

    def chosen(self, mirror: "Mirror") -> Sequence[str]:
        """Return the names given with -r, none for all. Raises ConfigError for unknown ones."""
        known = [remote.name for remote in mirror.remotes()]
        for name in self.given.remotes:
            if name not in known:
                raise ConfigError(
                    f"the mirror holds no remote {name}", hint=f"it holds: {', '.join(known)}"
                )
        return self.given.remotes

    def session(self, wait: float = 0, max_wait: float | None = None) -> "Session":
        """Return the seams of a run; both waits, for the mirror and for the key, in seconds."""
        from dssync.sync import Pace, Session, Waits

        return Session(env=os.environ, wait=wait, pace=Pace(waits=Waits(max_wait)))

    @contextmanager
    def watching(self, session: "Session") -> "Iterator[Session]":
        """Show what goes on while something runs; no question may be asked meanwhile."""
        from dssync.cli.render.progress import progress

        with progress(self.screen, everything=self.given.verbose) as report:
            yield replace(session, report=report)

    def tell(self, *sentences: str) -> None:
        """Say something to people."""
        self.screen.tell(map(Line, sentences))

    def tell_receipt(self, receipt: "Receipt", told: "Receipt | None" = None) -> None:
        """Say what a run did, but for what was `told`; what went wrong is said even in quiet."""
        from dssync.cli.render.receipt import NOTHING, receipt_lines

        show = self.screen.warn if receipt.exit_code else self.screen.tell
        everything = self.given.verbose
        width = self.screen.width
        show(receipt_lines(receipt, width, everything=everything, told=told or NOTHING))

    def document(self, view: View, receipt: "Receipt | None" = None) -> None:
        """Print a result for programs."""
        from dssync.cli.render.document import result_document

        self.screen.document(result_document(self.given.command, view.json(), receipt))

    def finish(
        self, view: View, *, receipt: "Receipt | None" = None, pending: "Plan | None" = None
    ) -> int:
        """Show a result, what is pending now, and a run's counts; return the exit code."""
        from dssync.cli.render.pending import pending_lines
        from dssync.cli.render.receipt import last_line

        if self.given.json:
            self.document(view, receipt)
        else:
            view.draw(self.screen)
        if pending is not None:
            self.screen.tell(pending_lines(pending))
        if receipt is None:
            return 0
        self.screen.tell([last_line(receipt)])
        return receipt.exit_code


def screen_of(given: Given) -> Screen:
    """Return the screen that the options ask for."""
    return Screen(quiet=given.quiet, colour=not given.no_color, asks=not given.no_input)
