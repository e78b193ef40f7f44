"""Small OSV records, exports of them, and a server that hands one out."""

import json
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def record(
    name: str,
    *events: Mapping[str, str],
    id: str = "PYSEC-2026-1",  # noqa: A002 - OSV's word
    versions: Sequence[str] = (),
    **others: Any,
) -> dict[str, Any]:
    """A record of one package; `others` are further members of the record."""
    affected: dict[str, Any] = {"package": {"name": name, "ecosystem": "PyPI"}}
    if events:
        affected["ranges"] = [{"type": "ECOSYSTEM", "events": list(events)}]
    if versions:
        affected["versions"] = list(versions)
    return {"id": id, "summary": f"{id} in {name}", "affected": [affected], **others}


def export(path: Path, *records: Mapping[str, Any], others: Mapping[str, bytes] | None = None) -> Path:
    """A zip as OSV exports it; `others` are further members."""
    with zipfile.ZipFile(path, "w") as opened:
        for one in records:
            opened.writestr(f"{one['id']}.json", json.dumps(one))
        for name, data in (others or {}).items():
            opened.writestr(name, data)
    return path


@dataclass(slots=True)
class Feed:
    """What a server hands out, and what it was asked.

    Attributes:
        body: the export.
        etag: the ETag of the body.
        failures: how many requests are first answered with 500.
        missing: how many bytes of the body are announced and never sent.
        asked: the If-None-Match of each request, in order.
        gave: the status of each answer, in order.
    """

    body: bytes = b""
    etag: str = '"one"'
    failures: int = 0
    missing: int = 0
    asked: list[str | None] = field(default_factory=list)
    gave: list[int] = field(default_factory=list)
    url: str = ""


@contextmanager
def feed(body: bytes) -> Iterator[Feed]:
    """Serve an export on the loopback interface."""
    state = Feed(body=body)

    class Handler(BaseHTTPRequestHandler):
        """One export, whatever the path."""

        def do_GET(self) -> None:
            """Answer 500 a while, then 304 to whoever has it and 200 to the rest."""
            state.asked.append(self.headers.get("If-None-Match"))
            if state.failures:
                state.failures -= 1
                self._send(500, b"")
            elif state.asked[-1] == state.etag:
                self._send(304, b"")
            else:
                self._send(200, state.body)

        def _send(self, status: int, body: bytes) -> None:
            state.gave.append(status)
            self.send_response(status)
            self.send_header("ETag", state.etag)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) - state.missing])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/PyPI/all.zip"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
