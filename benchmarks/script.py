"""The script one would write: follow `next`, upsert each row, commit each page."""

import json
import sqlite3
from pathlib import Path

import httpx

DATASET = ("id", "name", "description", "metadata", "created_at", "updated_at", "deleted")
ITEM = ("id", "dataset", "input", "output", "metadata", "ref_trace_id", "ref_timestamp")
TABLES = {
    "datasets": (*DATASET, "created_by", "team"),
    "dataset_items": (*ITEM, "ref_source_id", *DATASET[4:], "created_by", "team"),
}


def run(url: str, path: Path) -> None:
    """Copy both lists, in the server's own pages."""
    database = sqlite3.connect(path)
    with httpx.Client(headers={"Authorization": "Bearer phx_x"}, trust_env=False) as client:
        for table, columns in TABLES.items():
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {table}"
                f" (id TEXT PRIMARY KEY, {', '.join(columns[1:])})"
            )
            following = f"{url}/api/environments/1/{table}/"
            while following:
                page = client.get(following).raise_for_status().json()
                for row in page["results"]:
                    upsert(database, table, columns, row)
                database.commit()
                following = page["next"]
    database.close()


def upsert(database: sqlite3.Connection, table: str, columns: tuple[str, ...], row: dict) -> None:
    values = [
        json.dumps(row[name]) if isinstance(row[name], dict | list) else row[name]
        for name in columns
    ]
    setters = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    database.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT (id) DO UPDATE SET {setters}",
        values,
    )
