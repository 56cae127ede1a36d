"""A bundle gives back what was held, the same bytes each time, and is read without this program."""

import hashlib
import json
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dssync.core.fields import Stored
from dssync.errors import ConfigError, UnknownRun, UsageError
from dssync.files import bundle
from dssync.files.frames import zstd
from dssync.mirror import Mirror
from dssync.sandbox import generate
from tests.files import hostile
from tests.files.bundles import held, names, serve, snap, stock, unbundled
from tests.mirror.conftest import Home
from tests.mirror.served import D1, I1, I2, I3
from tests.sync.conftest import clock, empty_mirror, new_mirror, sandbox, world  # noqa: F401
from tests.sync.world import World

times = st.sampled_from(
    [None, "2026-11-23T18:13:50Z", "2026-11-23T18:13:50.347800Z", "2027-01-01T00:00:00.5Z"]
)
server = {"created_at": times, "updated_at": times, "absent_since": times}
rests = st.none() | hostile.json_texts
flags = st.sampled_from([None, 0, 1])
items = st.fixed_dictionaries(
    {
        **{name: st.none() | hostile.json_texts for name in hostile.JSON_FIELDS},
        **{name: st.none() | hostile.texts for name in hostile.TEXT_FIELDS},
        "source_output": rests,
        "client_item_id": st.none() | hostile.texts,
        "trace_timestamp": hostile.times,
        "deleted": flags,
        "rest": rests,
        **server,
        "created_by": st.sampled_from([None, "ann", "bob", "cat"]),
    }
)
datasets = st.fixed_dictionaries(
    {
        "name": hostile.texts,
        "description": st.none() | hostile.texts,
        "metadata": rests,
        "deleted": flags,
        "rest": rests,
        **server,
    }
)


@settings(max_examples=settings().max_examples // 2)
@given(rows=st.lists(items, min_size=1, max_size=3), dataset=datasets, profile=hostile.json_texts)
def test_what_was_held_comes_back(
    home: Home,
    file: Path,
    rows: Sequence[Mapping[str, Stored]],
    dataset: Mapping[str, Stored],
    profile: str,
) -> None:
    with home.mirror.database.unit(1) as tx:
        tx.exec_driver_sql(
            "INSERT OR REPLACE INTO people (id, profile) VALUES ('ann', ?), ('bob', ?),"
            " ('cat', '{}')",
            (profile, profile),
        )
    for key, row in zip((I1, I2, I3), rows, strict=False):
        serve(home, "item", key, **row)
    serve(home, "dataset", D1, **dataset)
    run = snap(home)
    written = bundle.write(home.mirror, file, remote="main", force=True)
    content = file.read_bytes()
    assert unbundled(file) == held(home.mirror, "main", run)
    assert bundle.check(file) == written
    bundle.write(home.mirror, file, remote="main", force=True)
    assert file.read_bytes() == content


def test_every_hostile_value_comes_back(home: Home, file: Path) -> None:
    stock(home, hostile.rows())
    run = snap(home)
    done = bundle.write(home.mirror, file, remote="main")
    assert done.records == len(hostile.rows()) + 5
    assert unbundled(file) == held(home.mirror, "main", run)


def test_the_past_is_bundled_as_it_was(world: World, file: Path) -> None:  # noqa: F811
    state = world.sandbox.state
    generate(state, datasets=3, items=30, seed=1)
    world.pull()
    bundle.write(world.mirror, file, remote="prod")
    first = file.read_bytes()
    ids = [row["id"] for row in state.rows("item")]
    state.update("item", ids[0], metadata={"changed": "there"})
    state.delete("item", ids[1])
    state.remove("dataset", state.rows("dataset")[0]["id"])
    world.clock.sleep(86_400)
    world.pull()
    world.set("item", ids[3], metadata='{"changed":"here"}')
    later = file.with_name("later")
    done = bundle.write(world.mirror, later, remote="prod")
    assert (done.manifest.snapshot.run, done.manifest.snapshot.items) == (2, 29)
    assert (done.manifest.snapshot.datasets, done.records) == (2, 33)
    assert unbundled(later) == held(world.mirror, "prod", 2)
    for at in ("1", "2026-11-23"):
        bundle.write(world.mirror, file, remote="prod", at=at, force=True)
        assert file.read_bytes() == first
    with pytest.raises(UnknownRun, match="no snapshot of prod is as old as 2020-01-01"):
        bundle.write(world.mirror, file, remote="prod", at="2020-01-01", force=True)
    assert file.read_bytes() == first


def test_a_stranger_reads_it_with_tar_and_json(home: Home, file: Path, tmp_path: Path) -> None:
    """Do what README.txt and docs/bundle.md say, and nothing else."""
    stock(home, hostile.rows())
    run = snap(home)
    bundle.write(home.mirror, file, remote="main")
    folder = tmp_path / "stranger"
    folder.mkdir()
    if shutil.which("zstd"):
        subprocess.run(["zstd", "-q", "-d", file, "-o", tmp_path / "all.tar"], check=True)
    else:
        (tmp_path / "all.tar").write_bytes(zstd.decompress(file.read_bytes()))
    subprocess.run(["tar", "-xf", tmp_path / "all.tar", "-C", folder], check=True)
    raw = file.read_bytes()
    assert raw[-72:].decode() == f"sha256 {hashlib.sha256(raw[:-80]).hexdigest()}\n"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert names(folder) == sorted(
        ["manifest.json", *(member["name"] for member in manifest["members"])]
    )
    for member in manifest["members"]:
        content = (folder / member["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == member["sha256"]
        assert (len(content), content.count(b"\n")) == (member["size"], member["lines"])
    digest = manifest.pop("digest")
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    lines = (folder / "items.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    for line, record in zip(
        map(json.loads, lines), held(home.mirror, "main", run)["item"], strict=True
    ):
        assert (line["key"], line["dataset"]) == (record.key, record.values["dataset"])
        assert line["input"] == record.values["input"]
        assert line["deleted"] is False
    people = (folder / "people.jsonl").read_text(encoding="utf-8").splitlines()
    known = {json.loads(line)["id"] for line in people}
    assert {json.loads(line)["created_by"] for line in lines} <= {None, *known}


def test_it_unpacks_into_a_new_folder_only(home: Home, file: Path, tmp_path: Path) -> None:
    snap(home)
    bundle.write(home.mirror, file, remote="main")
    folder = tmp_path / "deep" / "folder"
    bundle.extract(file, folder)
    assert names(folder) == [
        "README.txt",
        "datasets.jsonl",
        "items.jsonl",
        "manifest.json",
        "people.jsonl",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    with pytest.raises(UsageError, match="is no empty folder"):
        bundle.extract(file, folder)
    with pytest.raises(UsageError, match="is no empty folder"):
        bundle.extract(file, file)


def test_one_remote_is_meant(home: Home, nobody_mirror: Mirror) -> None:
    assert bundle.choose(home.mirror, None) == "main"
    with pytest.raises(ConfigError, match="holds no remote other"):
        bundle.choose(home.mirror, "other")
    with pytest.raises(ConfigError, match="no remote yet"):
        bundle.choose(nobody_mirror, None)
