"""Forgetting as a person sees it: what would go, one question, then all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dssync.cli.context import Context
from dssync.cli.render.forgotten import ForgetView, forgetting_lines
from dssync.cli.render.text import counted
from dssync.config import Settings
from dssync.core.retention import Policy, Rules
from dssync.errors import Declined, UsageError
from dssync.mirror import Mirror
from dssync.policy import zone_of
from dssync.sync.forgetter import Forgetting, judge, naming
from dssync.sync.forgetter import forget as forget_judged

NOTHING = Rules(Policy())


@dataclass(frozen=True, slots=True)
class Forgets:
    """How to forget: `yes` is consent, `dry` only shows, `prune` frees the space as well."""

    context: Context
    mirror: Mirror
    forgetting: Forgetting
    prune: bool
    dry: bool
    yes: bool
    wait: float

    def go(self) -> int:
        """Show, ask and forget; return the exit code. Raises Declined, UsageError, Locked."""
        view = ForgetView(self.forgetting, self.dry)
        if self.dry:
            return self.context.finish(view)
        if not (self.forgetting.count or self.prune):
            self.context.tell("nothing to forget")
            return self.context.finish(view)
        self._ask()
        session = self.context.session(self.wait)
        receipt = forget_judged(self.mirror, self.forgetting, session, prune=self.prune)
        self.context.tell_receipt(receipt)
        return self.context.finish(view, receipt=receipt)

    def _ask(self) -> None:
        """Show what is going to be forgotten, and get the consent for it."""
        screen = self.context.screen
        if not (self.yes or screen.interactive):
            raise UsageError(
                "there is nobody to ask whether to forget, so nothing was forgotten",
                hint="look at it with -n, then add -y to consent",
            )
        show = screen.tell if self.yes else screen.warn
        show(forgetting_lines(self.forgetting))
        if not (self.yes or screen.ask(self._question())):
            raise Declined("nothing was forgotten")

    def _question(self) -> str:
        count = self.forgetting.count
        parts = [f"forget {counted(count, 'snapshot')}"] if count else []
        if self.prune:
            parts.append("free what no other snapshot holds" if count else "free what none holds")
        question = f"{' and '.join(parts)} for ever?"
        return question[0].upper() + question[1:]


def judged(
    settings: Settings,
    mirror: Mirror,
    names: Sequence[str],
    policy: Policy,
    zone: str | None,
    *,
    prune: bool,
) -> Forgetting:
    """Judge by the policy given here, else by the configured ones.

    Raises UsageError where there is none, unless what was forgotten before is to be pruned: then
    nothing more is forgotten.
    """
    rules = rules_for(settings, mirror, names, policy, zone)
    if not rules:
        raise UsageError(
            "the mirror holds no remote yet, so nothing was forgotten", hint="dssync pull"
        )
    if prune and not any(each.policy for each in rules.values()):
        return naming(mirror, (), names)
    return judge(mirror, rules)


def rules_for(
    settings: Settings, mirror: Mirror, names: Sequence[str], policy: Policy, zone: str | None
) -> Mapping[str, Rules]:
    """Return what is to be kept of each remote: as given here, else as it is configured.

    Raises UsageError for a time zone that there is not.
    """
    known = names or [remote.name for remote in mirror.remotes()]
    return {name: _rules(settings, name, policy, zone) for name in known}


def _rules(settings: Settings, name: str, policy: Policy, zone: str | None) -> Rules:
    remote = settings.remotes.get(name)
    found = (remote.keep if remote else None) or settings.keep or NOTHING
    if policy:
        found = replace(found, policy=policy)
    return replace(found, zone=zone_of(zone)) if zone else found
