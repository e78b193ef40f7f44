"""A small OSV server on the loopback interface, so that every contender asks the same advisories and none waits for the internet.

`POST /v1/query` for pip-audit (`-s osv --osv-url URL`), and `GET /all.zip`, the whole export, for `shipsafe advisories pull`.
Which records speak of a version is decided as shipsafe decides it, so that pip-audit gets what shipsafe finds.
"""

import json
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from packaging.utils import canonicalize_name

from shipsafe.advisories.records import Record, affects, is_withdrawn, packages


class Advisories:
    """OSV records, asked which of them speak of a version."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_name: dict[str, list[Record]] = defaultdict(list)
        self.count = 0
        for record in records:
            self.count += 1
            for name in () if is_withdrawn(record) else set(packages(record)):
                self._by_name[name].append(record)

    @classmethod
    def read(cls, source: Path) -> "Advisories":
        """All records of a zip or a folder."""
        return cls(json.loads(data) for _, data in files(source))

    def of(self, name: str, version: str) -> list[Record]:
        """The records that speak of that version."""
        normal = canonicalize_name(name)
        return [record for record in self._by_name[normal] if affects(record, normal, version)]


def files(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every record of a zip or a folder, by name."""
    if source.is_dir():
        for path in sorted(source.glob("*.json")):
            yield path.name, path.read_bytes()
        return
    with zipfile.ZipFile(source) as opened:
        for name in sorted(opened.namelist()):
            yield name, opened.read(name)


@contextmanager
def serve(source: Path) -> Iterator[str]:
    """Serve the records of a zip or a folder, and give the server's address, without a slash at its end."""
    advisories = Advisories.read(source)
    export = source.read_bytes() if source.is_file() else b""

    class Handler(BaseHTTPRequestHandler):
        """The two questions."""

        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer is one piece: two would wait for each other (Nagle, delayed acknowledgement)

        def do_POST(self) -> None:
            """`/v1/query`."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = advisories.of(asked["package"]["name"], asked["version"])
            self._send("application/json", json.dumps({"vulns": found} if found else {}).encode())

        def do_GET(self) -> None:
            """`/all.zip`."""
            self._send("application/zip", export)

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pack_export(source: Path, destination: Path) -> Path:
    """The records as one zip, as OSV exports them: the source itself when it is one."""
    if source.is_file():
        return source
    with zipfile.ZipFile(destination, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files(source):
            archive.writestr(name, data)
    return destination
