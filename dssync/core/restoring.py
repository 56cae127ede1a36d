"""What it takes for one record to be as it was: a pure table, for restoring and for copying.

| then     | now                                   | step                                      |
|----------|---------------------------------------|-------------------------------------------|
| not live | unknown here, or deleted              | nothing                                   |
| not live | live on the server                    | edit: deleted                             |
| not live | made here, on no server yet           | drop                                      |
| live     | unknown here                          | create                                    |
| live     | deleted there, its undelete refused   | remake, then edit                         |
| live     | otherwise                             | edit: what differs, and not deleted       |
| live     | the same                              | nothing                                   |

What the contract lacks is left out. A record whose values it would not take is refused as a whole.
What can only be set when a record is made stays as it is, and is named.
"""

from dataclasses import dataclass, field
from typing import Literal

from dssync.core.fields import KINDS, ContractName, Field, KindName, Rule, Stored, Values
from dssync.core.records import Triple
from dssync.core.rules import reasons
from dssync.core.values import differing

StepName = Literal[
    "nothing", "edit", "create", "remake", "drop", "refuse", "waits", "edited", "clash", "spared"
]
"""What to do; the last four are a migration's (`core.migration`)."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with one record, and the values to set.

    `lost` names the fields that the remote's contract lacks, `stuck` those that cannot be set any
    more, `reason` says why a record is refused, or spared. `target` is what all of it will be.
    `base` is what both sides agreed on, where they clash since.
    """

    name: StepName
    values: Values = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    reason: str = ""
    target: Values | None = None
    base: Values | None = None


NOTHING = Step("nothing")


def step(
    kind: KindName,
    then: Values | None,
    now: Triple | None,
    contract: ContractName,
    *,
    refused: bool = False,
) -> Step:
    """Decide for one record; `then` is None where it was not live.

    An item's `dataset` is the key it will have. `refused` tells that the server answered 404 to
    an undelete of the record as it stands.
    """
    if then is None:
        return _away(now)
    remake = now is not None and now.id is not None and refused and _deleted_there(now)
    creating = now is None or now.id is None or remake
    fitted = Fitted.of(kind, then, contract, creating=creating)
    wanted = fitted.values if now is None else _edited(kind, now, {**fitted.values, "deleted": 0})
    # nothing but what is set can be refused; most records are as they were
    whole = {**fitted.values, **wanted} if remake else wanted
    if reason := refusal(kind, whole, contract, creating=creating):
        return Step("refuse", lost=fitted.lost, reason=reason)
    if now is None or remake:
        target = {**dict.fromkeys(then), **whole, "deleted": 0}
        return Step("remake" if remake else "create", wanted, fitted.lost, target=target)
    stuck = differing([KINDS[kind].by_name[n] for n in fitted.fixed], now.ours, then)
    return Step("edit" if wanted else "nothing", wanted, fitted.lost, stuck)


def _edited(kind: KindName, now: Triple, wanted: Values) -> Values:
    fields = [f for f in KINDS[kind].fields if f.name in wanted]
    return {name: wanted[name] for name in differing(fields, now.ours, wanted)}


def refusal(kind: KindName, values: Values, contract: ContractName, *, creating: bool) -> str:
    """Say why the contract would not take these values; "" where it does."""
    fields = KINDS[kind].by_name
    return "; ".join(
        f"{name}: {reason}"
        for name, value in values.items()
        for reason in reasons(fields[name], value, contract, creating=creating)
    )


def _away(now: Triple | None) -> Step:
    if now is None or now.ours["deleted"]:
        return NOTHING
    return Step("drop") if now.id is None else Step("edit", {"deleted": 1})


def _deleted_there(now: Triple) -> bool:
    return bool(now.absent and (now.theirs is None or now.theirs["deleted"]))


@dataclass(frozen=True, slots=True)
class Fitted:
    """Values as a contract takes them; `fixed` are fields that only a new record may be given."""

    values: Values
    lost: tuple[str, ...]
    fixed: tuple[str, ...]

    @classmethod
    def of(
        cls, kind: KindName, then: Values, contract: ContractName, *, creating: bool
    ) -> "Fitted":
        """Fit the values of a record to a contract."""
        values: dict[str, Stored] = {}
        lost: list[str] = []
        fixed: list[str] = []
        for each in KINDS[kind].fields:
            rule, value = each.rule(contract), then[each.name]
            if each.type == "flag":
                continue
            if rule is None:
                lost += [each.name] if value is not None else []
            elif rule.edit == "create-only" and not creating:
                fixed.append(each.name)
            else:
                values[each.name] = filled(each, rule, value)
        return cls(values, tuple(lost), tuple(fixed))


def filled(field: Field, rule: Rule, value: Stored) -> Stored:
    """Return what is sent for a value, also where the contract has no null to say nothing."""
    if value is not None or rule.nullable:
        return value
    if field.type == "json":
        return "{}" if rule.object_only else None
    return "" if field.type == "text" and rule.blank else None
