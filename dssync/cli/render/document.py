"""The one JSON document that --json prints."""

from dssync.cli.render.error import error_json
from dssync.cli.render.receipt import receipt_json
from dssync.cli.render.view import Document
from dssync.core.receipt import Receipt
from dssync.errors import DssyncError

SCHEMA_VERSION = 1


def result_document(command: str, result: Document, receipt: Receipt | None = None) -> Document:
    """Return what a command that ran prints; without a run, `run` and `receipt` are null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "run": receipt.run if receipt else None,
        "result": result,
        "receipt": receipt_json(receipt) if receipt else None,
    }


def error_document(command: str, error: DssyncError) -> Document:
    """Return what a command that failed prints."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "run": None,
        "error": error_json(error),
        "receipt": None,
    }
