"""How Alembic reaches a mirror: over the connection the program hands it, or over `-x url=...`."""

from alembic import context
from sqlalchemy import Connection, create_engine

from dssync.mirror.schema import metadata


def _run(connection: Connection) -> None:
    context.configure(connection, target_metadata=metadata, render_as_batch=True)
    context.run_migrations()


def _main() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _run(connection)
        return
    engine = create_engine(context.get_x_argument(as_dictionary=True)["url"])
    with engine.begin() as own:
        _run(own)


_main()
