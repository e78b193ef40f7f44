"""A store of evidence with a few releases in it, and a project whose policy names it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.recorded import code_sha256_of
from shipsafe.evidence.signing_record import signing_record
from shipsafe.evidence.store import Store, open_store
from shipsafe.model.attestation import Predicate, Resource, Statement
from shipsafe.model.signing import S3Object, SignedArtifact
from tests.advisories.writing import record

ACCOUNT = "111122223333"
JOB = f"arn:aws:signer:eu-central-1:{ACCOUNT}:/signing-jobs/0b39c1d4-8d3e-4a55-9c86-2a1e2b3c4d5e"
PROFILE = f"arn:aws:signer:eu-central-1:{ACCOUNT}:/signing-profiles/orders_2026/Ab1cD2ef3G"
WHEN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
SIGNED = SignedArtifact(
    artifact="", target="prod", account=ACCOUNT, region="eu-central-1", unsigned_sha256="", size=1,
    source=S3Object(bucket="b", key="unsigned/a.zip", version="v1"), object=S3Object(bucket="b", key="signed/a.zip", version="v2"),
    sha256="", code_sha256="", job=JOB, profile_version=PROFILE, signed_at=WHEN, expires=WHEN + timedelta(days=4000), root="r", trust="aws",
)  # fmt: skip


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def library(name: str, version: str, index: str = "", **more: Any) -> dict[str, Any]:
    """A component of an SBOM."""
    said = {"source": "index", "metadata": f"{name}-{version}.dist-info/METADATA", "index": index}
    return {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "properties": [{"name": f"shipsafe:{key}", "value": value} for key, value in said.items() if value],
        **more,
    }


def sbom(name: str, components: Iterable[Mapping[str, Any]]) -> Statement:
    about = {"type": "application", "bom-ref": f"function:{name}", "name": name}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": about}, "components": list(components)}
    return Statement(subjects=(zipped(name),), kind=Predicate.SBOM, predicate=document)


def zipped(name: str) -> Resource:
    return Resource(name=f"{name}.zip", digests={"sha256": digest(name)})


def provenance(name: str) -> Statement:
    source = {"uri": "git+https://github.com/acme/orders", "digest": {"gitCommit": "1f0c2c5e"}, "annotations": {"dirty": False}}
    definition = {"externalParameters": {"artifact": {"name": name}}, "resolvedDependencies": [source]}
    predicate = {"buildDefinition": definition, "runDetails": {"builder": {"id": "urn:shipsafe:builder:local"}}}
    return Statement(subjects=(zipped(name),), kind=Predicate.PROVENANCE, predicate=predicate)


def signing(name: str) -> Statement:
    signed = digest(f"signed {name}")
    one = replace(SIGNED, artifact=name, unsigned_sha256=digest(name), sha256=signed, code_sha256=code_sha256_of(signed))
    return signing_record(one, zipped=zipped(name), claims=(), vouched_by=())


def deployment(name: str) -> Statement:
    told = {"function": name, "version": "7", "alias": "live", "account": ACCOUNT, "region": "eu-central-1", "deployedAt": "2026-11-20"}
    subject = Resource(name="signed", digests={"sha256": digest(f"signed {name}")})
    return Statement(subjects=(subject,), kind=Predicate.DEPLOYMENT, predicate=told)


@dataclass
class Kept:
    """A project's folder with `evidence/` and `advisories/` in it."""

    folder: Path
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = open_store("evidence", home=self.folder)
        (self.folder / "advisories").mkdir(exist_ok=True)
        self.policy()

    def policy(self, more: str = "", evidence: str = 'evidence = "evidence"') -> None:
        today = datetime.now(UTC).date()
        text = f'{evidence}\n[advisories]\nsource = {{ path = "advisories", date = {today} }}\nlabel = "test records"\n{more}'
        (self.folder / "shipsafe.toml").write_text(text)

    def advise(self, name: str, *events: Mapping[str, str], **more: Any) -> None:
        made = record(name, *events, **more)
        (self.folder / "advisories" / f"{made['id']}.json").write_text(json.dumps(made))

    def keep(self, statement: Statement, *keys: ec.EllipticCurvePrivateKey) -> None:
        envelope = read_envelope(written(statement, [FileSigner(key) for key in keys]), shown="test")
        self.store.keep(envelope, statement)

    def release(self, name: str, *components: Mapping[str, Any]) -> str:
        """Built, signed and deployed; gives the digest of the unsigned zip."""
        for statement in (sbom(name, components), provenance(name), signing(name), deployment(name)):
            self.keep(statement)
        return digest(name)

    def objects(self, kind: str) -> list[Path]:
        return sorted((self.folder / "evidence").rglob(f"{kind}-*.json"))
