"""A package index on the loopback interface, with wheels and source distributions made here: nothing of it exists elsewhere."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_BACKEND = """
import pathlib, zipfile
made, file_name = {{}}, ""
try:
    pathlib.Path({marker!r}).write_text("the build code ran")
except OSError:
    made["shut-in.txt"] = "it could not write where it liked"
{code}
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    path = pathlib.Path(wheel_directory) / (file_name or "{name}-{version}-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("{name}.py", "built = True\\n")
        for member, text in made.items():
            wheel.writestr(member, text)
        wheel.writestr("{name}-{version}.dist-info/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr("{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("{name}-{version}.dist-info/RECORD", "{name}.py,,\\n")
    return path.name
"""


def wheel(
    name: str,
    version: str,
    files: Mapping[str, bytes] | None = None,
    *,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
    tag: str = "py3-none-any",
    scripts: str = "",
    programs: Sequence[str] = (),
    lies: Mapping[str, bytes] | None = None,
) -> tuple[str, bytes]:
    """File name and bytes. `scripts` are console scripts; RECORD speaks of `lies` instead of what the wheel holds."""
    info = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Provides-Extra: {one}" for one in extras] + [f"Requires-Dist: {one}" for one in requires]
    content = dict(files if files is not None else {f"{name}.py": f"version = {version!r}\n".encode()})
    content[f"{info}/METADATA"] = "\n".join([*metadata, ""]).encode()
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    if scripts:
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{scripts}\n".encode()
    rows = [f"{path},sha256={_digest((lies or {}).get(path, data))},{len(data)}" for path, data in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in content.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (0o100755 if path in programs else 0o100644) << 16
            archive.writestr(member, data)
    return f"{name}-{version}-{tag}.whl", buffer.getvalue()


def sdist(name: str, version: str, marker: str, *, code: str = "", requires: Sequence[str] = ()) -> tuple[str, bytes]:
    """File name and bytes of a source distribution whose build code writes the file `marker`.

    `code` is more of its build code; what that puts into `made` (path -> text) is in the wheel, and `file_name` is its name.
    `requires` is what the build needs.
    """
    files = {
        "pyproject.toml": f'[build-system]\nrequires = {list(requires)!r}\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": _BACKEND.format(marker=marker, name=name, version=version, code=code),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{name}-{version}.tar.gz", gzip.compress(buffer.getvalue(), mtime=0)  # the same bytes in every second


def sha256(data: bytes) -> str:
    """As requirements files write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class _Server(ThreadingHTTPServer):
    """A server that says nothing, in whatever test, of a client that has gone before it was answered.

    uv knocks fifty times at once: of more than stand in the queue the system drops some, which come again after a second or three.
    """

    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@contextmanager
def index(
    *files: tuple[str, bytes],
    user: tuple[str, str] | None = None,
    uploaded: Mapping[str, str] | None = None,
    asked: list[str] | None = None,
) -> Iterator[str]:
    """Serve the files as a simple index (PEP 503), and give its address.

    `user` is a name and a password, without which nothing is served. With `uploaded` (file name -> time) pages are JSON (PEP 700).
    `asked` gets the path of every request that was answered.
    """
    content, seen = dict(files), asked if asked is not None else []
    wanted = f"Basic {base64.b64encode(':'.join(user).encode()).decode()}" if user else None

    class Handler(BaseHTTPRequestHandler):
        """The two kinds of page that there are."""

        def do_GET(self) -> None:
            """Answer."""
            if wanted and self.headers.get("Authorization") != wanted:
                self._send(b"", "text/plain", status=401)
                return
            seen.append(self.path)
            kind, _, name = self.path.strip("/").partition("/")
            if kind == "files" and name in content:
                self._send(content[name], "application/octet-stream")
                return
            here = {file: data for file, data in content.items() if file.partition("-")[0].replace("_", "-") == name.strip("/")}
            if kind != "simple" or not here:
                self.send_error(404)
            elif uploaded is None:
                self._send(_as_html(here), "text/html")
            else:
                self._send(_as_json(here, uploaded), "application/vnd.pypi.simple.v1+json")

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def _send(self, body: bytes, kind: str, *, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _as_html(files: Mapping[str, bytes]) -> bytes:
    return "<br>".join(f'<a href="/files/{file}#{sha256(data).replace(":", "=")}">{file}</a>' for file, data in files.items()).encode()


def _as_json(files: Mapping[str, bytes], uploaded: Mapping[str, str]) -> bytes:
    listed = [
        {"filename": file, "url": f"/files/{file}", "hashes": {"sha256": sha256(data).partition(":")[2]}}
        | ({"upload-time": uploaded[file]} if file in uploaded else {})
        for file, data in files.items()
    ]
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "x", "versions": [], "files": listed}).encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
