"""Edit many records at once as a person sees it: a preview, one question, then all or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dssync.cli.context import Context
from dssync.cli.render.bulk import BulkView, preview_lines
from dssync.cli.render.text import counted
from dssync.core.fields import KindName
from dssync.core.plan import Change
from dssync.errors import Declined, UsageError
from dssync.mirror import Mirror, Record
from dssync.mirror.where import Selection
from dssync.sync import make_plan
from dssync.sync.bulk import selected

Apply = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Where:
    """The options of a bulk edit, as they were given."""

    expression: str | None
    kind: KindName | None
    dataset: str | None
    dry: bool
    yes: bool

    @property
    def given(self) -> bool:
        """Tell whether records are chosen by an expression, or as a dataset's items."""
        return self.expression is not None or self.dataset is not None

    @property
    def about(self) -> KindName:
        """Return the kind that is meant."""
        return self.kind or "item"

    def refuse_alone(self) -> None:
        """Raise UsageError where options of a bulk edit stand without one."""
        if self.kind or self.dry or self.yes:
            raise UsageError("--kind, -n and -y belong to --where", hint="add --where EXPR")

    def find(self, context: Context, mirror: Mirror, *, touched: bool = False) -> list[Record]:
        """Return the records that are meant. Raises UsageError."""
        if self.dataset is not None and self.kind == "dataset":
            raise UsageError("--dataset chooses items", hint="leave out --kind dataset")
        names = context.chosen(mirror)
        home = None if self.dataset is None else mirror.find(self.dataset, names)
        if home is not None and home.kind != "dataset":
            raise UsageError(f"{home.key} is an item, not a dataset")
        key = home.key if home else None
        expression = "1" if self.expression is None else self.expression
        return selected(mirror, Selection(self.about, expression, names, key, touched))


def go(
    context: Context,
    mirror: Mirror,
    where: Where,
    verb: str,
    changes: Sequence[Change],
    apply: Apply,
) -> int:
    """Show what would change, ask once, and change it. Raises Declined, Overtaken, UsageError."""
    screen = context.screen
    view = BulkView(changes, done=not where.dry)
    if not changes:
        context.tell("nothing to change")
        return context.finish(view, pending=make_plan(mirror))
    if not (where.dry or where.yes or screen.interactive):
        raise UsageError(
            f"there is nobody to ask whether to {verb} {_many(where, changes)},"
            " so nothing was changed",
            hint="look at it with -n, then add -y to consent",
        )
    show = screen.tell if where.yes or where.dry else screen.warn
    show(preview_lines(verb, changes, screen.width))
    if where.dry:
        return context.finish(view)
    if not (where.yes or screen.ask(f"{verb.capitalize()} {_many(where, changes)}?")):
        raise Declined("nothing was changed")
    apply()
    return context.finish(BulkView(changes, done=True), pending=make_plan(mirror))


def _many(where: Where, changes: Sequence[Change]) -> str:
    return counted(len(changes), where.about)
