"""A release on a verifier's desk: built by the program, signed under the local root without any endpoint, and copied for each test."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shipsafe.evidence.envelope import read_envelope, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.recorded import code_sha256_of
from shipsafe.evidence.signing_record import signing_record
from shipsafe.local.cms import write_signature
from shipsafe.local.pki import LocalRoot
from shipsafe.local.sign_zip import sign_zip
from shipsafe.model.attestation import Resource, Statement
from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.model.signing import S3Object, SignedArtifact
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.release import laid_bundle, read_release, record_signatures
from shipsafe.verify import VerifyRequest, open_request, verify_release, verify_zip
from tests.answers import OPEN
from tests.evidence.speakers import key
from tests.tampering.envelopes import Key
from tests.tampering.world import shipsafe

ACCOUNT, REGION = "111122223333", "eu-west-1"
PROFILE = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/pay_2026/Ab1cD2ef3G"
JOB = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/0b39c1d4-8d3e-4a55-9c86-2a1e2b3c4d5e"
BUILDER, SIGNER = Key("ci", key("desk-ci")), Key("releases", key("desk-releases"))
TARGET = f"""
[[sign.target]]
name = "prod"
account = "{ACCOUNT}"
region = "{REGION}"
profile = "pay_2026"
bucket = "pay-artifacts"
"""
POLICY = f"""
accounts = ["{ACCOUNT}"]
required = ["dependencies", "lint", "package", "sbom"]

[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[[functions]]
name = "Pay"
handler = "app.handler"
runtime = "python3.13"
code = "pay"

[[waivers]]
rule = "dependencies/unaudited"
subject = "function:Pay"
reason = "It was copied from a colleague."
owner = "pay@acme.example"
expires = 2099-12-31
"""
_RATES = {
    "rates.py": b"RATE = 2\n",
    "rates-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: rates\nVersion: 1.0\nSummary: Rates.\nLicense: MIT\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A project with a release in `dist`; `root` is the local root. The policy trusts two keys, and one target."""

    project: Path
    root: LocalRoot
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def dist(self) -> Path:
        return self.project / "dist"

    @property
    def manifest(self) -> Any:
        return json.loads((self.dist / "shipsafe.json").read_text())

    def edit_manifest(self, edit: Callable[[Any], object]) -> None:
        """What the manifest says of Pay, as anybody can write it."""
        document = self.manifest
        edit(document["artifacts"][0])
        (self.dist / "shipsafe.json").write_text(json.dumps(document))

    def edit_policy(self, before: str, after: str) -> None:
        path = self.project / "shipsafe.toml"
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    @property
    def lines(self) -> list[bytes]:
        return (self.dist / "Pay.intoto.jsonl").read_bytes().splitlines()

    def write_lines(self, lines: list[bytes]) -> None:
        """Another bundle, which the manifest names."""
        data = b"".join(line + b"\n" for line in lines)
        put(self.dist / "Pay.intoto.jsonl", data)
        self.edit_manifest(lambda pay: pay["evidence"].update(sha256=hashlib.sha256(data).hexdigest()))

    def restate(self, kind: str, change: Callable[[Statement], Statement], *, by: Key = BUILDER) -> None:
        """Another statement in the place of one, signed by its own speaker."""
        said = [(line, statement_of(read_envelope(line, shown=""), shown="")) for line in self.lines]
        self.write_lines([written(change(one), [FileSigner(by.private)]) if one.kind == kind else line for line, one in said])

    def without(self, kind: str) -> None:
        self.write_lines([line for line in self.lines if statement_of(read_envelope(line, shown=""), shown="").kind != kind])

    def sign(self, *, profile: str = PROFILE, at: datetime | None = None, until: datetime | None = None, root: LocalRoot | None = None,
             record: bool = True, by: Key = SIGNER, change: Callable[[bytes], bytes] = lambda data: data) -> Path:  # fmt: skip
        """Sign Pay as AWS would, write it beside the release, and say so in manifest and bundle."""
        whole = root or self.root
        moment = (at or self.now - timedelta(hours=1)).replace(microsecond=0)
        expires = until or moment + timedelta(days=4000)
        leaf = whole.issue(moment)
        data = change(sign_zip((self.dist / "Pay.zip").read_bytes(), lambda content: write_signature(
            content, leaf, job=JOB, profile_version=profile, signed_at=moment, expires=expires)))  # fmt: skip
        path = self.project / "signed.zip"
        path.write_bytes(data)
        if record:
            self.record(self.signed(data, profile=profile, at=moment, until=expires, root=whole.fingerprint), by)
        return path

    def signed(self, data: bytes, *, profile: str, at: datetime, until: datetime, root: str) -> SignedArtifact:
        sha256 = hashlib.sha256(data).hexdigest()
        return SignedArtifact(
            artifact="Pay", target="prod", account=profile.split(":")[4], region=REGION,
            unsigned_sha256=self.manifest["artifacts"][0]["digests"]["sha256"],
            source=S3Object(bucket="pay-artifacts", key="unsigned/Pay.zip", version="v1"),
            object=S3Object(bucket="pay-artifacts", key="signed.zip", version="v2"),
            size=len(data), sha256=sha256, code_sha256=code_sha256_of(sha256), job=JOB, profile_version=profile, signed_at=at,
            expires=until, root=root, trust="local",
        )  # fmt: skip

    def record(self, one: SignedArtifact, by: Key = SIGNER) -> None:
        zipped = Resource(name="Pay.zip", digests={"sha256": one.unsigned_sha256})
        line = written(signing_record(one, zipped=zipped, claims=(), vouched_by=("ci",)), [FileSigner(by.private)])
        bundle = b"".join(one + b"\n" for one in (*self.lines, line))
        with output_lock(self.dist, on_wait=lambda: None):
            output = Output(self.dist)
            record_signatures(output, read_release(self.dist), [one], None, {"Pay": laid_bundle(output, "Pay", bundle)})

    def verify(self, path: Path | None = None, *, now: datetime | None = None, **words: Any) -> Verification:
        """As the program does; of the release, or of a zip."""
        policy = words.pop("policy", self.project / "shipsafe.toml")
        with open_request(policy=policy, local_root=self.root.fingerprint, now=lambda: now or self.now, **words) as request:
            return verify_release(self.dist, request) if path is None else verify_zip(path, request)

    def request(self, **words: Any) -> VerifyRequest:
        """One that stays open until the end of the test."""
        opened = open_request(policy=self.project / "shipsafe.toml", local_root=self.root.fingerprint, now=lambda: self.now)
        return replace(OPEN.enter_context(opened), **words)


def make_desk(home: Path, root: LocalRoot) -> Desk:
    """Build it: one function, with a distribution that lies in its code."""
    project = home / "project"
    (project / "pay" / "lib").mkdir(parents=True)
    (project / "pay" / "app.py").write_text("def handler(event, context):\n    return 'pay'\n")
    (project / "pay" / "lib" / "tool.sh").write_text("#!/bin/sh\n")
    (project / "pay" / "lib" / "tool.sh").chmod(0o755)
    record = b"rates-1.0.dist-info/RECORD,,\n"
    (project / "pay" / "rates-1.0.dist-info").mkdir()
    for name, data in _RATES.items():
        (project / "pay" / name).write_bytes(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
        record += b"%b,sha256=%b,%d\n" % (name.encode(), digest, len(data))
    (project / "pay" / "rates-1.0.dist-info" / "RECORD").write_bytes(record)
    (project / "advisories").mkdir()
    advisory(project, "PYSEC-2026-1", "nobodys")
    (project / "shipsafe.toml").write_text(POLICY + TARGET + BUILDER.table("builder") + SIGNER.table("signer"))
    done = shipsafe("build", "--key", BUILDER.write(home), cwd=project)
    assert done.code == 0, done.out + done.err
    return Desk(project=project, root=root)


def advisory(project: Path, identifier: str, package: str) -> None:
    """A record about every version of a package before 9.0."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.0"}]}]
    record = {
        "id": identifier,
        "modified": "2026-10-01T00:00:00Z",
        "summary": "It gives away what it knows.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": package}, "ranges": ranges}],
    }
    (project / "advisories" / f"{identifier}.json").write_text(json.dumps(record))


def put(path: Path, data: bytes) -> None:
    """Not in place: the file may be a link to the store of the output folder."""
    path.unlink()
    path.write_bytes(data)


def only(found: Verification) -> Chain:
    assert len(found.chains) == 1
    return found.chains[0]


def link(found: Verification, name: str) -> Link:
    return next(one for one in only(found).links if one.id == name)


def wrong(found: Verification) -> dict[str, Hold]:
    """The links that do not hold."""
    return {one.id: one.hold for one in only(found).links if one.hold not in (Hold.HELD, Hold.NOT_ASKED)}
