"""The examples of docs/python.md, run in order from the page; each prints what stands below it."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from dssync.mirror import Mirror as Store
from dssync.sync import make_plan
from tests.cli.conftest import (  # noqa: F401
    dssync,
    folder,
    offline,
    own_world,
    sample_mirror,
)
from tests.cli.shell import Shell

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
EXAMPLES = re.findall(
    r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", PAGE.read_text(encoding="utf-8"), re.DOTALL
)


def test_every_example_prints_what_the_page_says(offline: Shell, folder: Path) -> None:  # noqa: F811
    names: dict[str, Any] = {}
    assert len(EXAMPLES) == 6
    for code, shown in EXAMPLES:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, PAGE.name, "exec"), names)
        assert printed.getvalue() == shown, code
    names["mirror"].close()
    with Store.open(folder / "mirror.db") as mirror:
        assert [change.label for change in make_plan(mirror).changes][:1] == ["Refunds"]
    assert "Refunds" in offline("diff").well().out
