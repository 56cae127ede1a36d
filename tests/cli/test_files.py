"""`dssync export` and `dssync import` as a person meets them."""

import json
from pathlib import Path

import pytest

from tests.cli.shell import Shell

DATASET = "support-bot-golden-answers-019bd144"
ITEM = "019bd14c-4c2f-3bfb-14e9-28cb37b06962"


@pytest.fixture
def lines(offline: Shell, folder: Path) -> Path:
    """Return the items of one exported dataset."""
    offline("export", "evals").well()
    return folder / "evals" / "project-1" / f"{DATASET}.jsonl"


def change(path: Path, **fields: object) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[1].update(fields)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_an_export_says_what_it_wrote(offline: Shell) -> None:
    done = offline("export", "evals").well()
    assert done.out == ""
    assert done.err.splitlines() == [
        "6 datasets with 60 items are in evals (jsonl)",
        "files: 12 written, 0 unchanged, 0 removed",
        "bring edits back: dssync import evals",
    ]
    assert "0 written, 12 unchanged" in offline("export", "evals").well().err


def test_an_export_for_programs(offline: Shell) -> None:
    words = ("export", "evals", "--format", "csv", "--dataset", "Support bot: golden answers")
    assert offline(*words, "--json").well().document["result"] == {
        "folder": "evals",
        "format": "csv",
        "datasets": 1,
        "items": 10,
        "files": {"written": 2, "unchanged": 0, "removed": 0},
    }


def test_the_folder_is_sought_from_where_the_mirror_is(offline: Shell, folder: Path) -> None:
    offline("-C", str(folder), "export", "evals").well()
    assert (folder / "evals" / "project-1").is_dir()


def test_a_dry_import_is_a_plan(offline: Shell, lines: Path) -> None:
    change(lines, expected_output="Sure.", trace_id=None)
    done = offline("import", "-n", "evals").well()
    assert done.out.splitlines()[:2] == [
        'project-1 / "Support bot: golden answers"',
        f"  ~ update item {ITEM}",
    ]
    assert max(map(len, (done.out + done.err).splitlines())) <= 80
    assert done.err == (
        "6 datasets and 60 items were read; 1 update would be imported, nothing was\n"
    )
    plan = offline("import", "-n", "evals", "--json").well().document["result"]["plan"]
    assert plan["counts"] == {"update": 1}
    assert offline("diff").err == "no differences\n"


def test_an_import_ends_with_what_is_pending(offline: Shell, lines: Path) -> None:
    change(lines, expected_output="Sure.")
    with lines.open("a", encoding="utf-8") as stream:
        stream.write('{"input": "new"}\n')
    assert offline("import", "evals").well().err.splitlines() == [
        "6 datasets and 61 items were read; imported: 1 update, 1 create",
        "new rows get their ids in the files by: dssync export evals",
        "pending: 1 create, 1 update",
        "  see it: dssync diff; send it: dssync push; take it back: dssync revert --all",
    ]
    assert "1 row without an id had been imported before" in offline("import", "evals").err
    offline("revert", "--all").well()


def test_mistakes_end_with_2(offline: Shell, lines: Path) -> None:
    change(lines, trace_id=7)
    failed = offline("import", "evals")
    assert failed.code == 2
    assert failed.err == (
        f"dssync: project-1/{DATASET}.jsonl, line 2 (trace_id): it is neither text nor null;"
        " nothing was imported\n"
    )
    text = offline("import", "evals", "--json").document["error"]
    assert (text["code"], text["exit_code"]) == ("usage_error", 2)


def test_edits_in_the_way_of_an_export_end_with_6(offline: Shell, lines: Path) -> None:
    change(lines, trace_id="t")
    refused = offline("export", "evals")
    assert refused.code == 6
    assert refused.err == (
        "dssync: evals holds edits that were not imported (1 update)\n"
        "hint: dssync import evals; or add --overwrite to drop them\n"
    )
    offline("export", "evals", "--overwrite").well()


def test_a_brake_ends_with_8(offline: Shell, lines: Path) -> None:
    for path in lines.parent.glob("*.jsonl"):
        path.write_text("", encoding="utf-8")
    assert not offline("import", "evals", "--json").well().document["result"]["counts"]
    stopped = offline("import", "evals", "--delete-missing")
    assert stopped.code == 8
    assert "the import deletes 60 of 60 items of project-1" in stopped.err
    assert "--max-delete 60" in stopped.err
    done = offline("import", "evals", "--delete-missing", "--max-delete", "100%").well()
    assert "imported: 60 deletes" in done.err


def test_one_remote_only(offline: Shell, lines: Path) -> None:
    change(lines, trace_id="t")
    assert offline("-r", "nowhere", "import", "evals").code == 2
    assert "1 update" in offline("-r", "project-1", "import", "evals").well().err
