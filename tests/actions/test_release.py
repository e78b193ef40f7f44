"""Our own release, run by act: PyPI and the program `gh` are played on this machine, and a key in a file stands for Sigstore."""

import base64
import hashlib
import importlib.util
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipsafe import __version__
from shipsafe.errors import IntegrityError
from shipsafe.policy import load
from tests.actions.clean import cached, copied
from tests.pipeline.act import SYSTEM_PATH
from tests.pipeline.consumer import NAME, Consumer
from tests.tampering.envelopes import Key
from tests.verify.desk import BUILDER, SIGNER

PARTS = ("shipsafe", "actions", ".github/release", "pyproject.toml", "uv.lock", "README.md", "LICENSE", ".github/workflows/release.yml")
TAG = f"v{__version__}"
GH = """\
#!/bin/sh
[ "$GH_TOKEN" = ghs_release ] || exit 4
for word in "$@"; do printf '%s\\n' "$word"; done >"$GH_SAID"
"""


class Index(BaseHTTPRequestHandler):
    """PyPI: it gives a token for one of the workflow's, and takes files."""

    uploads: dict[str, str]
    token: str

    def do_GET(self) -> None:
        self._answer({"audience": "pypi"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else self._chunks()
        if self.path.endswith("/mint-token"):
            claims = json.loads(base64.urlsafe_b64decode(json.loads(body)["token"].split(".")[1] + "=="))
            self.server.claims = claims  # type: ignore[attr-defined]  # one server, one test
            self._answer({"success": True, "token": "pypi-minted"})
            return
        if self.headers["Authorization"] != f"Basic {base64.b64encode(b'__token__:pypi-minted').decode()}":
            self.send_error(403)
            return
        name = re.search(rb'filename="([^"]+)"', body)
        digest = re.search(rb'name="sha256_digest"\r\n\r\n([0-9a-f]{64})', body)
        assert name
        assert digest
        self.server.uploads[name[1].decode()] = digest[1].decode()  # type: ignore[attr-defined]  # likewise
        self._answer({})

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        return found

    def _answer(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        pass


@contextmanager
def index(folder: Path) -> Iterator[Any]:
    """It, on a port of this machine, under TLS: uv asks for a token over nothing else. `server.roots` holds all roots, and its own."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", "tls.key", "-out", "tls.pem", "-subj", "/CN=index", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-addext", "basicConstraints=critical,CA:FALSE"], cwd=folder, check=True, capture_output=True)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.roots = folder / "roots.pem"
    theirs = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    server.roots.write_bytes(Path(theirs).read_bytes() + (folder / "tls.pem").read_bytes())
    server.uploads, server.claims = {}, {}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def made(repository: Path, tmp_path: Path) -> Consumer:
    """Our repository, in which a key of a file stands for the workflow's identity."""
    (tmp_path / "product").mkdir()
    consumer = Consumer(folder=tmp_path / "world", product=tmp_path / "product", workflow=".github/workflows/release.yml")
    copied(repository, consumer.tree, PARTS)
    workflow = consumer.tree / consumer.workflow
    text = workflow.read_text()
    assert text.count('KEY: "sigstore:"') == 1
    assert text.count("${{ github.token }}") == 1
    text = text.replace('KEY: "sigstore:"', f'KEY: "{BUILDER.write(tmp_path)}"')
    workflow.write_text(text.replace("${{ github.token }}", "ghs_release"))  # act has none
    trusted = consumer.tree / ".github/release/trusted.toml"
    assert "[[attest.identity]]" in trusted.read_text()
    trusted.write_text(f'[attest]\nunsigned = "refuse"\n{BUILDER.table("builder")}')
    return consumer


@pytest.mark.registry
def test_a_release_is_built_once_verifies_itself_and_is_published_with_its_evidence(made: Consumer, tmp_path: Path) -> None:
    """The bytes that were built are those that are published, and the wheel, installed alone, verifies what is stated of it."""
    commit = made.commit({})
    made.git("tag", TAG)
    made.git("push", "-q", str(made.origin), "main:main", TAG)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    with index(tmp_path) as pypi:
        environment = {
            "PATH": f"{tools}:{SYSTEM_PATH}",
            "GH_SAID": str(tmp_path / "gh"),
            "UV_PUBLISH_URL": f"https://127.0.0.1:{pypi.server_address[1]}/legacy/",
            "SSL_CERT_FILE": str(pypi.roots),
            **cached(),
            "GITHUB_WORKFLOW_REF": f"{NAME}/{made.workflow}@refs/tags/{TAG}",  # act has none
        }
        claims = {"ref": f"refs/tags/{TAG}", "ref_type": "tag", "sha": commit}
        ran = made.run("push", {"ref": f"refs/tags/{TAG}", "after": commit}, claims=claims, environment=environment)
    assert ran.code == 0, ran.told()
    assert ran.results == dict.fromkeys(("build", "attest", "verify", "publish", "release"), ("success",))
    built = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (made.kept / "artifacts/built").iterdir()}
    wheel, sdist = f"shipsafe-{__version__}-py3-none-any.whl", f"shipsafe-{__version__}.tar.gz"
    assert pypi.uploads == {wheel: built[wheel], sdist: built[sdist]}
    assert pypi.claims["aud"] == "pypi"
    assert pypi.claims["environment"] == "pypi"
    said = ran.text("verify")
    assert f"https://slsa.dev/provenance/v1: about sha256:{built[wheel]}, signed by {BUILDER.name}\n" in said
    assert f"https://cyclonedx.org/bom: about sha256:{built[wheel]}, signed by {BUILDER.name}\n" in said
    assert f"files of {wheel} are what is installed, and nothing else\n" in said
    files = {Path(word).name for word in (tmp_path / "gh").read_text().splitlines() if "/dist/" in word}
    assert files == {wheel, sdist, f"shipsafe-{__version__}.cdx.json", f"shipsafe-{__version__}.intoto.jsonl", "SHA256SUMS"}
    again = made.tree.parent / "again"
    shutil.copytree(made.kept / "artifacts/attested", again)
    _other_releases_are_refused(made, again / wheel, again / f"shipsafe-{__version__}.intoto.jsonl", commit, again)


def _other_releases_are_refused(made: Consumer, wheel: Path, bundle: Path, commit: str, folder: Path) -> None:
    """What the script says of the real bundle: of another wheel, another commit, another key, and of half of it."""
    script = _script(made.tree / ".github/release/verify.py")
    now = datetime.now(UTC)

    def attested(policy: Path, *, commit: str = commit) -> list[str]:
        found = load(folder, explicit=policy, offline=True, cache=folder, fetch=lambda _: b"", today=now.date())
        return list(script._attested(wheel, bundle, commit, found.attest, now))

    trusted = made.tree / ".github/release/trusted.toml"
    assert len(attested(trusted)) == 2
    with pytest.raises(IntegrityError, match="It was not built from commit"):
        attested(trusted, commit="0" * 40)
    nobody = _policy(folder / "nobody.toml", SIGNER)
    with pytest.raises(IntegrityError, match="No key that the policy trusts as builder signed it"):
        attested(nobody)
    whole = bundle.read_bytes()
    bundle.write_bytes(whole.splitlines(keepends=True)[1])
    with pytest.raises(IntegrityError, match=r"Nothing is stated of https://cyclonedx.org/bom"):
        attested(trusted)
    bundle.write_bytes(whole)
    wheel.write_bytes(wheel.read_bytes() + b" ")
    with pytest.raises(IntegrityError, match="A statement is not about this wheel"):
        attested(trusted)


def _policy(path: Path, key: Key) -> Path:
    path.write_text(f'[attest]\nunsigned = "refuse"\n{key.table("builder")}')
    return path


def _script(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("release_verify", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("meddle", "said"),
    [
        ("printf x >>wheel", "A file of . is not what was handed over"),
        ("printf x >more.whl", ". holds other files than were handed over"),
        ("rm wheel", ". holds other files than were handed over"),
        ("ln -sf /etc/hostname wheel", ". holds other files than were handed over"),
        ("printf x >>wheel; sha256sum wheel 'a b' >SHA256SUMS", ". is not what was handed over"),
        ("rm SHA256SUMS", ". is not what was handed over"),
    ],
)
def test_what_was_changed_between_two_jobs_of_the_release_is_found(repository: Path, tmp_path: Path, meddle: str, said: str) -> None:
    def sums(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([repository / ".github/release/sums", *words], cwd=tmp_path, capture_output=True, text=True, check=False)

    for name in ("wheel", "a b"):
        (tmp_path / name).write_text(name)
    digest = sums("write", ".").stdout.strip()
    assert sums("check", ".", digest).returncode == 0
    subprocess.run(["sh", "-c", meddle], cwd=tmp_path, check=True)
    found = sums("check", ".", digest)
    assert found.returncode == 5
    assert f"error: {said}." in found.stderr
