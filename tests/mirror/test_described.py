"""What Datasette is told of a mirror is true of it, and Datasette can use it."""

import json
import re
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from dssync.mirror.described import HIDDEN, QUERIES, TABLES, metadata
from tests.mirror.conftest import Home

RECIPES = Path(__file__).parents[2] / "docs" / "sql.md"


def names(sql: sqlite3.Connection, *types: str) -> set[str]:
    rows = sql.execute("SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return {name for name, what in rows if what in types}


def test_every_table_and_view_is_described_or_hidden(home: Home) -> None:
    assert {*TABLES, *HIDDEN} == names(home.sql, "table", "view")
    assert not set(TABLES) & set(HIDDEN)


def test_every_column_that_is_described_exists(home: Home) -> None:
    described = metadata("mirror")["databases"]["mirror"]["tables"]
    assert set(described["items_pending"]["columns"]) >= {"key", "side", "input", "run"}
    for table, about in described.items():
        there = {row[1] for row in home.sql.execute(f"PRAGMA table_info({table})")}
        assert set(about.get("columns", ())) <= there, table


def test_the_queries_are_the_recipes_that_only_read(home: Home) -> None:
    recipe = r"\*\*\d+\. ([^*]+)\*\*[^`]*```sql\n(.*?)\n```"
    page = RECIPES.read_text(encoding="utf-8")
    recipes = re.findall(recipe, page.replace("`dssync revert`", ""), re.DOTALL)
    reading = [(title, sql) for title, sql in recipes if sql.startswith("SELECT")]
    assert list(QUERIES.values()) == reading
    home.sql.execute("PRAGMA query_only = 1")
    for query in metadata("mirror")["databases"]["mirror"]["queries"].values():
        home.sql.execute(query["sql"]).fetchall()


@contextmanager
def served(program: Path, mirror: Path, about: Path) -> Iterator[str]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "serve", mirror, "-m", about, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                fetch(f"{url}/-/versions.json")
                break
            except urllib.error.URLError:
                assert process.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read(), "utf-8")


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_datasette_serves_a_mirror(home: Home, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    subprocess.run([programs / "pip", "install", "-qq", "datasette"], check=True)
    about = tmp_path / "metadata.json"
    about.write_text(json.dumps(metadata(home.mirror.path.stem)), encoding="utf-8")
    with served(programs / "datasette", home.mirror.path, about) as url:
        database = f"{url}/{quote(home.mirror.path.stem)}"
        shown = json.loads(fetch(f"{database}.json"))
        hidden = {table["name"] for table in shown["tables"] if table["hidden"]}
        assert set(HIDDEN) <= hidden
        for name, text in TABLES.items():
            assert name in hidden or text.split("`")[0] in fetch(f"{database}/{name}")
        for name, (title, _) in QUERIES.items():
            assert title in fetch(f"{database}/{name}")
