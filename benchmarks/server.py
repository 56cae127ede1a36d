"""A server as fast as the contestants need it: rows serialised beforehand, joined on request.

Run as `python -m benchmarks.server DATASETS ITEMS MILLISECONDS`. It prints its URL, serves until
its standard input ends, and answers `/requests` with how many lists it has served.
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

from benchmarks import rows

DEFAULT_ROWS = 100
BASE = "/api/environments/1/"


class Lists:
    """The two lists of one environment, in the server's default order."""

    def __init__(self, datasets: int, items: int) -> None:
        parents = dict(rows.datasets(datasets))
        self.rows = {
            f"{BASE}datasets/": list(parents.values()),
            f"{BASE}dataset_items/": list(rows.items(items, list(parents))),
        }
        self.requests = 0

    def answer(self, target: str, host: str) -> bytes:
        """Return the body of one answer."""
        url = urlsplit(target)
        if url.path == "/requests":
            return b"%d" % self.requests
        self.requests += 1
        query = parse_qs(url.query)
        limit = int(query.get("limit", [DEFAULT_ROWS])[0])
        offset = int(query.get("offset", [0])[0])
        found = self.rows[url.path]
        follows = f"http://{host}{url.path}?limit={limit}&offset={offset + limit}"
        link = f'"{follows}"' if offset + limit < len(found) else "null"
        return b'{"count":%d,"next":%b,"previous":null,"results":[%b]}' % (
            len(found),
            link.encode(),
            b",".join(found[offset : offset + limit]),
        )


async def _converse(
    lists: Lists, seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    host = "{}:{}".format(*writer.get_extra_info("sockname"))
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = lists.answer(head.split(b" ", 2)[1].decode(), host)
            if seconds:
                await asyncio.sleep(seconds)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)
            )
            writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _serve(lists: Lists, seconds: float) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _converse(lists, seconds, reader, writer)

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def main() -> None:
    datasets, items, milliseconds = map(int, sys.argv[1:])
    asyncio.run(_serve(Lists(datasets, items), milliseconds / 1000))


if __name__ == "__main__":
    main()
