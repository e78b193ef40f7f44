"""An OSV server on the loopback interface: `POST /v1/query` and `GET /v1/vulns/ID`, `{}` when there is nothing, as the real one."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Record = Mapping[str, Any]
Query = Callable[[str, str], Sequence[Record]]


class _Server(ThreadingHTTPServer):
    """A server that says nothing, in whatever test, of a client that has gone before it was answered."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@contextmanager
def osv_server(
    query: Query, find: Callable[[str], Record | None] = lambda _: None, *, status: int = 200, silent: bool = False
) -> Iterator[str]:
    """Serve what `query(name, version)` and `find(id)` give, and give the address of `/v1/query`.

    Args:
        query: gives the records that speak of a version.
        find: gives the record of an id.
        status: what is answered to every question instead, when it is not 200.
        silent: whether no question about a version is answered before the server ends.
    """
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        """The two questions that are asked of it."""

        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer is one piece: two would wait for each other (Nagle, delayed acknowledgement)

        def do_POST(self) -> None:
            """`/v1/query`."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert asked["package"]["ecosystem"] == "PyPI"
            if silent:
                over.wait()
            found = list(query(asked["package"]["name"], asked["version"]))
            self._send(status, {"vulns": found} if found else {})

        def do_GET(self) -> None:
            """`/v1/vulns/ID`."""
            found = find(self.path.rpartition("/")[2])
            self._send(404 if found is None else 200, found or {"code": 5, "message": "Bug not found."})

        def _send(self, code: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
