"""One row at work: a copy of the release, and what somebody who has got at it could do to it."""

import base64
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, Self

import pytest

from tests.tampering import envelopes, zips
from tests.tampering.envelopes import Document
from tests.tampering.world import World, shipsafe
from tests.tampering.zips import Change

Words = Sequence[str | Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A copy of the project in `root`, with its release in `root / "dist"`; `world` is what it was copied from."""

    world: World
    root: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    @property
    def manifest(self) -> Document:
        found: Document = json.loads((self.dist / "shipsafe.json").read_text())
        return found

    def rewrite_manifest(self, edit: Callable[[Document], None]) -> None:
        """Other values in the manifest, as anybody can write them."""
        document = self.manifest
        edit(document)
        (self.dist / "shipsafe.json").write_text(json.dumps(document, indent=2))

    def artifact(self, document: Document, name: str = "Pay") -> Document:
        """The entry of an artifact in a manifest."""
        found: Document = next(entry for entry in document["artifacts"] if entry["name"] == name)
        return found

    def replace(self, path: str, data: bytes) -> None:
        """Another file of that name in the release."""
        (self.dist / "new").write_bytes(data)
        (self.dist / "new").replace(self.dist / path)

    def change_zip(self, change: Change, *, told: bool = False) -> bytes:
        """Change `Pay.zip`; with `told` the manifest says the new digests, as whoever changes one file can change another."""
        data = change((self.dist / "Pay.zip").read_bytes())
        self.replace("Pay.zip", data)
        if told:
            self.rewrite_manifest(lambda document: self.artifact(document).update(self._told(data)))
        return data

    @staticmethod
    def _told(data: bytes) -> Document:
        """What a manifest says of a zip."""
        parts = zips.taken_apart(data)
        lines = sorted((part.name.encode(), f"{part.mode:06o} {sha256(part.body).hexdigest()} {part.name}\n".encode()) for part in parts)
        content = sha256(b"".join(line for _, line in lines)).hexdigest()
        told = {name: value for name, value in digests(data).items() if name != "size"}
        return {
            "size": len(data),
            "unzipped": sum(part.member.size for part in parts),
            "entries": len(parts),
            "digests": {**told, "content_digest": f"sha256:{content}"},
        }

    def bundle(self, name: str = "Pay") -> list[bytes]:
        """The envelopes of an artifact."""
        return (self.dist / f"{name}.intoto.jsonl").read_bytes().splitlines()

    def rewrite_bundle(self, lines: Iterable[bytes], name: str = "Pay") -> None:
        """Another bundle, which the manifest names."""
        data = b"".join(line + b"\n" for line in lines)
        self.replace(f"{name}.intoto.jsonl", data)
        self.rewrite_manifest(lambda document: self.artifact(document, name)["evidence"].update(sha256=sha256(data).hexdigest()))

    def change_envelope(self, predicate: str, change: Callable[[bytes], bytes]) -> None:
        """Another envelope in place of one of Pay's."""
        self.rewrite_bundle(envelopes.replaced(self.bundle(), predicate, change))

    def restate(self, predicate: str, edit: Callable[[Document], None]) -> None:
        """Let whoever made such statements of Pay state something else, with their own keys."""
        keys = {"builder": self.world.builder, "signer": self.world.signer}

        def restated(line: bytes) -> bytes:
            kind, asked = envelopes.kind(line)
            return envelopes.edited(line, edit, [keys[asked or "builder"]]) if kind == predicate else line

        self.rewrite_bundle([restated(line) for line in self.bundle()])

    def policy(self, edit: Callable[[str], str]) -> None:
        """Another policy of whoever verifies."""
        path = self.root / "shipsafe.toml"
        text = path.read_text()
        path.write_text(edit(text))
        assert path.read_text() != text

    def save(self, data: bytes, name: str = "signed.zip") -> Path:
        """A file beside the release."""
        (self.root / name).write_bytes(data)
        return Path(name)

    @property
    def job(self) -> str:
        """The ARN of the job that signed Pay."""
        found: str = self.artifact(self.manifest)["signatures"][0]["job"]
        return found

    def empty_store(self) -> None:
        """Remove what the output folder keeps to mend itself."""
        shutil.rmtree(self.dist / ".shipsafe")

    def another_build(self) -> Path:
        """The release of other code of the same project, built with the same key."""
        other = self.root.parent / "another" / "project"
        shutil.copytree(self.root, other, ignore=shutil.ignore_patterns("dist"))
        (other / "pay" / "app.py").write_text("def handler(event, context):\n    return 'other'\n")
        done = shipsafe("build", "--key", self.world.builder.write(other), cwd=other)
        assert done.code == 0, done.out + done.err
        return other / "dist"

    def away_from_local(self) -> None:
        """As on a machine that knows nothing of the local endpoint."""
        for name in ("AWS_ENDPOINT_URL", "SHIPSAFE_LOCAL_ROOT"):
            self.monkeypatch.delenv(name)

    def clock(self, off: timedelta) -> None:
        """Whoever verifies has a clock that is wrong."""

        class Wrong(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                right = datetime.now(tz) + off
                return cls.fromtimestamp(right.timestamp(), tz)

        self.monkeypatch.setattr("shipsafe.verify.opened.datetime", Wrong)

    def record(self, signed: bytes, **other: Any) -> None:
        """Let manifest and signing record speak of these bytes, the record signed by the signer's own key; `other` stands in it too."""

        def edit(document: Document) -> None:
            document["subject"][1]["digest"] = {"sha256": sha256(signed).hexdigest()}
            told = document["predicate"]
            told["signed"] = {"sha256": sha256(signed).hexdigest(), "codeSha256": code_sha256(signed), "size": len(signed)}
            told.update(other)

        def name(document: Document) -> None:
            told = digests(signed)
            entry = self.artifact(document)["signatures"][0]
            entry.update({one: told[one] for one in ("sha256", "code_sha256", "size")})
            entry["profile_version"] = other.get("profileVersion", entry["profile_version"])

        self.rewrite_manifest(name)
        self.change_envelope(envelopes.SIGNING, lambda line: envelopes.edited(line, edit, [self.world.signer]))


def digests(data: bytes) -> Document:
    """Every digest of a zip's bytes, and how many they are."""
    return {
        "sha256": sha256(data).hexdigest(),
        "sha512": sha512(data).hexdigest(),
        "code_sha256": code_sha256(data),
        "size": len(data),
    }


def code_sha256(data: bytes) -> str:
    """As Lambda reports it."""
    return base64.b64encode(sha256(data).digest()).decode()
