"""What the house asks of its files, as functions from a folder to the offenders in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE = 350
LONGEST_FUNCTION = 45
PRINTERS = {"print", "pprint", "echo", "secho"}


def long_files(folder: Path) -> list[str]:
    """Return the Python files of more lines than one sitting reads."""
    counts = {path: len(path.read_text().splitlines()) for path in _sources(folder)}
    return [f"{path}: {count} lines" for path, count in counts.items() if count > LONGEST_FILE]


def long_functions(folder: Path) -> list[str]:
    """Return the functions of more lines than fit a screen."""
    return [
        f"{path}:{node.lineno}: {node.name} has {length} lines"
        for path, node in _nodes(folder)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]


def prints(folder: Path) -> list[str]:
    """Return the calls that print."""
    return [
        f"{path}:{node.lineno}: {called}"
        for path, node in _nodes(folder)
        if isinstance(node, ast.Call) and (called := _name(node.func)) in PRINTERS
    ]


def _name(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def _nodes(folder: Path) -> Iterator[tuple[Path, ast.AST]]:
    for path in _sources(folder):
        for node in ast.walk(ast.parse(path.read_text())):
            yield path, node


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))
