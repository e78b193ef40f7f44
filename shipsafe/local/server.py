"""HTTP/1.1 on loopback: werkzeug's threaded server, with connections that are kept and a clean end.

werkzeug closes each connection after one answer, because it does not know where the next request begins. Here each body is read to its
end before the next request is looked for, so that twenty jobs that are polled do not open a thousand connections.
"""

import socket
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from threading import Condition, Thread
from typing import Any, Protocol

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

from shipsafe.errors import ConfigError

LOOPBACK = "127.0.0.1"
_DRAIN = 64 * 1024 * 1024  # bytes of a body that nobody wanted and that are read all the same; after that the connection is closed
_CHUNK = 1024 * 1024
_IDLE = 65  # seconds; longer than any client here keeps a connection
_POLL = 0.05  # seconds until an end is noticed
_LAST_ANSWER = 10.0  # seconds that an answer may still take when the endpoint ends


class ResetError(Exception):
    """Raised by the application: end this connection without an answer, as a network does."""


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many."""


class _Body:
    """The bytes of one request and no more: a file for `wsgi.input`."""

    def __init__(self, source: Readable, length: int | None) -> None:
        self._source = source
        self._left = length  # None: the source knows its own end
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        if self._left is None:
            return self._read_to_end(size)
        want = self._left if size < 0 else min(size, self._left)
        data = self._source.read(want) if want else b""
        if len(data) < want:
            raise ClientDisconnected
        self._left -= len(data)
        return data

    def _read_to_end(self, size: int) -> bytes:
        parts, got = [], 0
        while not self._ended and (size < 0 or got < size):
            try:
                part = self._source.read(_CHUNK if size < 0 else size - got)
            except OSError as error:  # chunks that are none
                raise ClientDisconnected from error
            self._ended = not part
            parts.append(part)
            got += len(part)
        return b"".join(parts)

    def drained(self) -> bool:
        """Read what nobody wanted; whether the next request begins here."""
        return any(not self.read(_CHUNK) for _ in range(_DRAIN // _CHUNK))


class _Handler(WSGIRequestHandler):
    """One connection: its requests, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: Nagle would hold the second for 40 ms
    wbufsize = _CHUNK
    timeout = _IDLE
    server: "_Server"

    _begun: float | None = None

    def handle_expect_100(self) -> bool:
        self._begun = time.monotonic()  # before the client goes on, and may ask for something else
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        """Ask the application, write its answer, and leave the connection where the next request begins."""
        environ = self.make_environ()
        try:
            body = self._body(environ)
        except (ValueError, OverflowError):
            self.send_error(400)
            return
        environ["wsgi.input"] = body
        environ["shipsafe.begun"], self._begun = self._begun or time.monotonic(), None
        environ["shipsafe.headers"] = self.headers.items()  # as they came, also those with an underscore, which WSGI cannot name
        answer: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            answer[:] = [(status, headers)]

        try:
            parts = self.server.app(environ, start_response)
            try:
                self._answer(*answer[0], parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
            if not self.close_connection and not body.drained():
                self.close_connection = True
        except ResetError:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.server.reset.add(self.connection)
        except (ConnectionError, TimeoutError, ClientDisconnected):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - a fault of ours or of moto's: the client must see one, and the next call be answered
            self.close_connection = True
            sys.stderr.write(f"local endpoint: {self.command} {self.path!r} failed: {type(error).__name__}: {error}\n")
            if not answer:
                self.send_error(500)

    def _body(self, environ: dict[str, Any]) -> _Body:
        if environ.get("wsgi.input_terminated"):
            return _Body(environ["wsgi.input"], None)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length < 0:
            raise ValueError(length)
        return _Body(self.rfile, length)

    def _answer(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        self.send_header("Date", self.date_time_string())
        names = {name.lower() for name, _ in headers}
        bare = self.command == "HEAD" or int(code) in {204, 304}
        chunked = "content-length" not in names and not bare and self.request_version >= "HTTP/1.1"
        for name, value in headers:
            if name.lower() not in {"date", "connection"}:
                self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif "content-length" not in names and not bare:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        for part in parts:
            if part and not bare:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def finish(self) -> None:
        """Let go of the connection, also of one whose client went away before its answer."""
        try:
            super().finish()
        except OSError:  # what is left of the answer cannot be sent
            self.rfile.close()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: what was asked is in the endpoint's own log."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the class above
        """Nothing: a connection that waited for too long, or a line that is not HTTP."""


class _Server(ThreadedWSGIServer):
    daemon_threads = True  # nothing that crashed on the way may keep the process alive; `hang_up` waits for the rest

    def __init__(self, app: Any, listening: socket.socket) -> None:
        self.reset: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__(LOOPBACK, 0, app, _Handler, fd=listening.fileno())

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._changed:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        if request in self.reset:  # closing without shutting down: with SO_LINGER 0 the other side sees a reset
            self.reset.discard(request)
            request.close()
        else:
            super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self) -> None:
        """End every connection that waits for its next request, and wait for those that are being answered."""
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # the other side was faster
                    connection.shutdown(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._open, timeout=_LAST_ANSWER)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        if type == "error":
            sys.stderr.write(f"{message % args if args else message}\n")


class Listener:
    """The server in a thread of its own."""

    def __init__(self, app: Any, port: int) -> None:
        """Bind to a port of loopback; 0 takes a free one.

        Raises:
            ConfigError: the port is taken or not ours to take.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((LOOPBACK, port))
            except (OSError, OverflowError) as error:
                raise ConfigError(f"Port {port} cannot be used: {error}.", remedy="Choose another with --port, or none at all.") from error
            listening.listen(128)
            self._server = _Server(app, listening)  # which holds a duplicate
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._serve, name="shipsafe-local", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        super(BaseWSGIServer, self._server).serve_forever(poll_interval=_POLL)

    def stop(self) -> None:
        """Take no more, end what waits, and wait for what is being answered."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
