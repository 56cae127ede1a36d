"""Ways to lose the answer of a create, and what must hold once all is settled."""

from typing import Any

import httpx

from dssync.core.fields import KindName
from dssync.core.receipt import Entry
from dssync.sandbox import Fault
from dssync.sync import read_status
from tests.sync.world import World

NOT_MADE = Fault("status", 502, method="POST")
WAIT = 120


def lose(world: World, method: str = "POST", nth: int = 1) -> None:
    """Let the answer of a write be lost, and what would find out be out of reach."""
    faults = world.sandbox.faults

    def cut(request: httpx.Request) -> None:
        nonlocal nth
        if request.method == method:
            nth -= 1
            if nth == 0:
                faults.add(Fault("status", 503, method="GET", times=None))
                raise httpx.ReadError("cut", request=request)

    world.meddle(after=cut)


def recover(world: World) -> None:
    world.network = None
    world.sandbox.faults.clear()


def in_doubt(world: World) -> list[str]:
    return [intent.key for intent in read_status(world.mirror).in_doubt]


def named(world: World, name: str) -> list[str]:
    return [row["id"] for row in world.sandbox.state.rows("dataset") if row["name"] == name]


def lost(world: World, kind: KindName = "dataset", **values: Any) -> str:
    """Make a record that the server makes, too, and whose answer is lost."""
    key = world.mirror.new(kind, None, values or {"name": "new"})
    lose(world)
    receipt = world.push()
    assert [e.outcome for e in receipt.entries if e.key == key] == ["in doubt"]
    recover(world)
    assert in_doubt(world) == [key]
    return key


def only(entries: tuple[Entry, ...]) -> Entry:
    [entry] = entries
    return entry


def check_settled(world: World, posts: int) -> None:
    """Nothing is in doubt or pending, both sides are equal, and no more POSTs were sent."""
    assert world.pull().exit_code == 0
    assert in_doubt(world) == []
    assert world.nothing_planned()
    assert not world.sql("SELECT key FROM datasets_pending UNION SELECT key FROM items_pending")
    for kind, table in (("dataset", "datasets"), ("item", "items")):
        live = world.sql(f"SELECT id FROM {table} WHERE deleted IS NOT 1 ORDER BY id")
        there = sorted((row["id"],) for row in world.sandbox.state.rows(kind))  # type: ignore[arg-type]
        assert live == there
    assert len(world.asked("POST")) == posts


class Late(httpx.WSGITransport):
    """Hold a POST back until `release`: the client sees a broken connection meanwhile."""

    held: httpx.Request | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and self.held is None:
            request.read()
            self.held = request
            raise httpx.ReadTimeout("no answer", request=request)
        return super().handle_request(request)

    def release(self) -> None:
        assert self.held is not None
        assert super().handle_request(self.held).status_code == 201


def stored_as_second(world: World, **values: str) -> tuple[str, str]:
    """Return the keys of a create in doubt and of the row as which a pull stored its result."""
    values = values or {"name": "new"}
    key = world.mirror.new("dataset", None, values)
    network = Late(app=world.sandbox)
    world.network = lambda remote: network
    world.push()
    hidden = Fault("empty_list", method="GET", path="/datasets/")
    network.release()
    world.network = None
    world.sandbox.faults.add(hidden)
    world.pull()
    world.sandbox.faults.clear()
    [id] = named(world, "new")
    assert world.ours("dataset", id, "id") == id
    assert in_doubt(world) == [key]
    return key, id
