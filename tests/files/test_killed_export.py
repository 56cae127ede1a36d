"""An export that is killed at any step."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dssync.files import export
from dssync.mirror import Mirror
from tests.files.desk import Desk
from tests.mirror.served import D1, D2


def killed_after(steps: int, desk: Desk) -> bool:
    """Export in a fork of this process that dies at a step; tell whether it came so far."""
    child = os.fork()
    if child == 0:
        left = iter(range(steps))

        def dying(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **settings: Any) -> Any:
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **settings)

            return call

        for name in ("write_text", "replace", "unlink", "mkdir"):
            setattr(Path, name, dying(getattr(Path, name)))
        try:
            with Mirror.open(desk.mirror.path) as mirror:
                export(mirror, desk.folder, suffix="csv")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_an_export_killed_anywhere_leaves_whole_files(desk: Desk, tmp_path: Path) -> None:
    """Rename one dataset, delete the other, change the format; die at each step of writing that."""
    desk.export("jsonl")
    old = desk.files()
    desk.mirror.edit("dataset", D1, {"name": "Renamed"})
    desk.mirror.delete("dataset", D2)
    export(desk.mirror, tmp_path / "fresh", suffix="csv")
    new = Desk(desk.home, tmp_path / "fresh").files()
    export(desk.mirror, tmp_path / "other", suffix="jsonl")
    other = Desk(desk.home, tmp_path / "other").files()
    steps = 0
    while killed_after(steps, desk):
        for name, content in desk.files().items():
            if name.startswith("main/"):
                assert content in (old.get(name), new.get(name)), name
        if (desk.folder / "main").is_dir():
            assert not desk.bring_in(dry=True).counts
        desk.export("jsonl")
        assert desk.files() == other, "nothing is left of the export that was killed"
        shutil.rmtree(desk.folder)
        for name, content in old.items():
            (desk.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (desk.folder / name).write_bytes(content)
        steps += 1
    assert desk.files() == new
    assert steps > 15
