"""What it takes for a record of one remote to be carried into another: a pure table.

A source (a remote at a snapshot, or a bundle) is read record by record. A lasting map says which
record of the destination each of them became, and up to which state of the source both sides agree:
the *base*. Source, base and destination are merged field by field, by the very table of a push
(`core.merge`): the base is the base, the destination's server is theirs, and the source stands
where ours does. What comes out is an ordinary edit of the destination's working copy. So a restore
into another remote and a migration are one mechanism; a restore only has no base, and the source is
right.

| the source since the base    | the destination since    | step                                   |
|------------------------------|--------------------------|----------------------------------------|
| never carried before         | -                        | create                                 |
| as it was                    | anything, deleted too    | nothing: what was done there stays     |
| changed                      | as it was                | edit                                   |
| changed                      | changed                  | merged: edit, or clash                 |
| changed                      | deleted                  | clash                                  |
| gone, without "missing"      | anything                 | nothing                                |
| gone, with "missing"         | as it was                | edit: deleted                          |
| gone, with "missing"         | changed                  | spared: somebody has worked on it      |

An edit that stands in the working copy already, because a migration was interrupted, *waits*; any
other one is somebody's own, and its record is left alone: it is *edited*. Without a base nobody
knows who changed what, so every difference clashes, unless the record is `taken` over.
"""

from dataclasses import dataclass

from dssync.core.fields import KINDS, ContractName, KindName, Values
from dssync.core.merge import Merged, merge
from dssync.core.records import Triple
from dssync.core.restoring import NOTHING, Fitted, Step, StepName, refusal, step
from dssync.core.values import differing

SPARED = "it was changed there since it was copied, so it is not deleted along with its original"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a destination takes records: its contract, and what it was told to do.

    `missing` lets copies be deleted whose originals are gone; `taken` lets the source be right
    where nobody knows what was agreed on.
    """

    contract: ContractName
    missing: bool = False
    taken: bool = False


def carry(
    kind: KindName, then: Values | None, now: Triple | None, agreed: Values | None, manner: Manner
) -> Step:
    """Decide for one record of a source.

    `then` is what the source holds, None where it is not live; `agreed` is the base. Both speak of
    datasets by the keys that they have in the destination.
    """
    if now is None:
        return NOTHING if then is None else step(kind, then, None, manner.contract)
    if then is None:
        return _gone(kind, now, agreed, manner)
    return _Meeting.of(kind, then, now, agreed, manner).step()


def _gone(kind: KindName, now: Triple, agreed: Values | None, manner: Manner) -> Step:
    there = now.theirs if now.theirs is not None else now.ours
    if there["deleted"] or not manner.missing:
        return Step("nothing", target=there if there["deleted"] else None)
    dead = {**there, "deleted": 1}
    if differing(KINDS[kind].fields, now.ours, there):
        waits = not differing(KINDS[kind].fields, now.ours, dead)
        return Step("waits" if waits else "edited", target=dead)
    if agreed is None or agreed["deleted"] or _changed_there(kind, now, there, agreed, manner):
        return Step("spared", reason=SPARED)
    if now.id is None:
        return Step("drop")
    return Step("edit", {"deleted": 1}, target=dead)


def _changed_there(
    kind: KindName, now: Triple, there: Values, agreed: Values, manner: Manner
) -> bool:
    held = Fitted.of(kind, agreed, manner.contract, creating=now.id is None).values
    return bool(differing([KINDS[kind].by_name[n] for n in held], there, held))


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A record that both sides have; `there` is what the destination's server holds."""

    now: Triple
    there: Values
    wanted: Values
    base: Values
    fitted: Fitted
    stuck: tuple[str, ...]
    contract: ContractName

    @classmethod
    def of(
        cls, kind: KindName, then: Values, now: Triple, agreed: Values | None, manner: Manner
    ) -> "_Meeting":
        creating = now.id is None
        fitted = Fitted.of(kind, then, manner.contract, creating=creating)
        held = Fitted.of(kind, agreed, manner.contract, creating=creating) if agreed else None
        there: Values | None = now.theirs
        if there is None:  # on no server yet: then what it was made of stands for what is there
            there = {**now.ours, **(held.values if held else {})}
        base: Values
        if held is not None:
            base = {**there, **held.values, "deleted": agreed["deleted"] if agreed else 0}
        elif manner.taken:
            base = there
        else:
            base = {**there, **dict.fromkeys(fitted.values), "deleted": 0}
        said = [KINDS[kind].by_name[n] for n in fitted.fixed if then[n] is not None]
        wanted = {**there, **fitted.values, "deleted": 0}
        stuck = differing(said, there, then)
        return cls(now, there, wanted, base, fitted, stuck, manner.contract)

    def step(self) -> Step:
        """Merge, and hold what comes out against the working copy."""
        merged = merge(
            Triple(
                self.now.kind,
                self.now.key,
                self.now.id,
                self.now.remote,
                ours=self.wanted,
                base=self.base,
                theirs=self.there,
            )
        )
        if merged.conflicts:
            return self._clash(merged)
        target, values = merged.ours, self._changed(merged.ours)
        if reason := self._refused(values):
            return self._said("refuse", reason=reason)
        if self._differ(self.now.ours, self.there):
            if not self._differ(self.now.ours, target):
                return self._said("waits", target=target)
            # what somebody else edits is not in the way of nothing
            return self._said("edited" if values else "nothing", target=target)
        if not values:
            return self._said("nothing" if self.now.id else "waits", target=target)
        return self._said("edit", values, target=target)

    def _clash(self, merged: Merged) -> Step:
        if self._differ(self.now.ours, self.there):
            return self._said("edited")
        values = self._changed(self.wanted)
        if reason := self._refused(values):
            return self._said("refuse", reason=reason)
        return self._said("clash", values, base=self.base)

    def _changed(self, values: Values) -> Values:
        return {name: values[name] for name in self._differ(values, self.there)}

    def _differ(self, left: Values, right: Values) -> tuple[str, ...]:
        return differing(KINDS[self.now.kind].fields, left, right)

    def _refused(self, values: Values) -> str:
        return refusal(self.now.kind, values, self.contract, creating=self.now.id is None)

    def _said(
        self,
        name: StepName,
        values: Values | None = None,
        *,
        reason: str = "",
        target: Values | None = None,
        base: Values | None = None,
    ) -> Step:
        found = values or {}
        return Step(name, found, self.fitted.lost, self.stuck, reason, target, base)
