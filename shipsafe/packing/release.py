"""A release manifest, read back: what `sign` and later steps are given, with every digest still to be checked.

The output folder may have come from a machine that others can write to. So nothing in it is believed: the document has to fit its
schema, its names cannot lead out of the folder, and `check_bytes` compares every file with its digest.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.json_file import holds_more, json_of
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError
from shipsafe.model.artifact import Bundle
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.location import Location
from shipsafe.model.preference import preference_of
from shipsafe.model.project import LayerRef
from shipsafe.model.signing import SignedArtifact
from shipsafe.packing.manifest import Told, written
from shipsafe.packing.output import Output
from shipsafe.packing.publish import EVIDENCE, MANIFEST, laid, revise

_LARGEST = 64 * MEBIBYTE
_MOST = 1_000_000  # values; an artifact has a hundred, and what checks the schema copies them
_BUILD = "Build the release again, or name its folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedArtifact:
    """What a manifest says of one zip. Digests are as in `shipsafe.model.artifact.Archive`; paths are absolute or as `out` is.

    `told` is the builder's claim; `sbom` None where none was made; `evidence` None where nothing was stated. `evidence_signed`: the
    manifest says that somebody signed every envelope of it.
    """

    name: str
    subject: str
    path: Path
    sha256: str
    sha512: str
    code_sha256: str
    content_digest: str
    size: int
    entries: int
    sbom: Path | None
    sbom_sha256: str
    told: Told
    prebuilt: bool
    location: Location
    evidence: Path | None = None
    evidence_sha256: str = ""
    evidence_signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release manifest: its folder, the document as it lies there, and its artifacts."""

    out: Path
    document: Mapping[str, Any]
    artifacts: tuple[ReleasedArtifact, ...]

    @property
    def policy(self) -> Path | None:
        """The policy that it was built under, where it says which: it need not be there."""
        location = self.document["policy"]["location"]
        return (self.out / location) if location else None

    @property
    def override(self) -> str | None:
        """Hex SHA-256 of the statement that lets it through although its gates did not; None where the manifest says that it passed."""
        return self.document["override"]["statement"] if "override" in self.document else None


def read_release(out: Path, *, digest: str | None = None) -> Release:
    """The release in an output folder.

    Args:
        out: the folder.
        digest: `sha256:HEX` that its manifest has to be, as the job says that made it; None where nobody says.

    Raises:
        NothingError: there is no manifest, or none of an artifact.
        ConfigError: there is no such folder.
        IncompleteError: the manifest was written by a newer shipsafe.
        IntegrityError: it is not a release manifest, or another one than `digest` says, or two artifacts have one name.
    """
    path = out / MANIFEST
    if not out.is_dir():
        raise ConfigError("There is no such folder.", remedy="Build first, or name the folder of a release.", path=str(out))
    if not path.is_file() or path.is_symlink():
        raise NothingError(f"There is no {MANIFEST} in it, so that this is no release.", remedy=_BUILD, path=str(out))
    data = read_bounded(path, limit=_LARGEST)
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if digest is not None and found != digest:
        what = f"The release is another one than was handed over: its manifest is {found}, and should be {digest}."
        raise IntegrityError(what, remedy="Find out who changed it on the way, and build again.", path=str(path))
    if holds_more(data, _MOST):
        raise IntegrityError(f"It is not a release manifest: it holds more than {_MOST:,} values.", remedy=_BUILD, path=str(path))
    document = json_of(data, shown=str(path))
    if isinstance(document, dict) and document.get("schema_version") != "1.0":
        raise IncompleteError("This release manifest is of another version.", remedy="Use the shipsafe that built it.", path=str(path))
    if problem := next(_validator().iter_errors(document), None):
        where = "/".join(str(part) for part in problem.instance_path) or "its top"
        raise IntegrityError(f"It is not a release manifest: at {where[:200]}, {problem.message[:200]}.", remedy=_BUILD, path=str(path))
    artifacts = tuple(_artifact(out, entry) for entry in document["artifacts"])
    if not artifacts:
        raise NothingError("The release names no artifact.", remedy=_BUILD, path=str(path))
    for what in ("name", "subject", "path"):
        seen = Counter(str(getattr(one, what)).casefold() for one in artifacts)
        if twice := next((one for one, count in seen.items() if count > 1), None):
            raise IntegrityError(f"Two artifacts of the release have the {what} {twice[:200]}.", remedy=_BUILD, path=str(path))
    return Release(out=out, document=document, artifacts=artifacts)


@cache
def _validator() -> Any:
    import jsonschema_rs  # noqa: PLC0415 - only whoever reads a release needs it

    text = resources.files("shipsafe.packing").joinpath("data/release-manifest.schema.json").read_text(encoding="utf-8")
    return jsonschema_rs.validator_for(json.loads(text))


def _artifact(out: Path, entry: Mapping[str, Any]) -> ReleasedArtifact:
    digests, sbom, evidence = entry["digests"], entry["sbom"], entry.get("evidence")
    live = entry.get("deployment", {})
    return ReleasedArtifact(
        name=entry["name"],
        subject=entry["subject"],
        path=out / entry["path"],
        sha256=digests["sha256"],
        sha512=digests["sha512"],
        code_sha256=digests["code_sha256"],
        content_digest=digests["content_digest"],
        size=entry["size"],
        entries=entry["entries"],
        sbom=out / sbom["path"] if sbom else None,
        sbom_sha256=sbom["sha256"] if sbom else "",
        told=Told(
            runtimes=tuple(entry["runtimes"]),
            handler=entry["handler"],
            architectures=tuple(entry["architectures"]),
            locks=tuple((lock["path"], lock["sha256"]) for lock in entry["locks"]),
            layers=tuple(_layer(one) for one in entry["layers"]),
            function_name=live.get("function_name"),
            alias=live.get("alias"),
            preference=preference_of(live["preference"]) if live.get("preference") else None,
            unclear=tuple(live.get("unclear", ())),
        ),
        prebuilt=entry["source"] == "prebuilt",
        location=Location(path=entry["location"]["path"], line=entry["location"]["line"]),
        evidence=out / evidence["path"] if evidence else None,
        evidence_sha256=evidence["sha256"] if evidence else "",
        evidence_signed=bool(evidence and evidence["signed"]),
    )


def _layer(entry: Mapping[str, Any]) -> LayerRef:
    """A layer as it was; what can be read from its ARN is read from there again."""
    told = LayerRef(text=entry["text"], local=entry["local"], changeable=entry["changeable"], unresolved=entry["unresolved"])
    if entry["arn"] is None:
        return told
    ref = layer_arn(entry["arn"], text=entry["text"], location=None)
    return replace(ref, local=told.local, changeable=told.changeable, unresolved=told.unresolved or ref.unresolved)


def record_signatures(
    output: Output, release: Release, signed: Sequence[SignedArtifact], asked: Mapping[str, Any] | None,
    evidence: Mapping[str, Bundle] | None = None,
) -> Release:  # fmt: skip
    """Write signatures and evidence into the release, at once, and give the release with them. Called under `output_lock`.

    A signature takes the place of an older one of the same target; those of other targets stay. `asked` is what was asked again
    (`signing` of the schema); None leaves what stands there. `evidence` is by the names of artifacts: whole bundles as
    `laid_bundle` gave them, which take the place of those that lie there; of an artifact that is not named it stays.

    Raises:
        IntegrityError: somebody has changed the manifest since it was read.
        IncompleteError: the folder cannot be written; the old manifest holds.
    """
    if read_release(release.out).document != release.document:
        raise IntegrityError("The release manifest was changed while its artifacts were signed.", remedy="Run `shipsafe sign` again.",
                             path=str(release.out / MANIFEST))  # fmt: skip
    document = dict(release.document) | ({"signing": dict(asked)} if asked is not None else {})
    bundles = dict(evidence or {})
    document["artifacts"] = [
        _with(entry, [one for one in signed if one.artifact == entry["name"]], bundles.get(entry["name"]))
        for entry in document["artifacts"]
    ]
    revise(output, written(document), bundles.values())
    return read_release(release.out)


def laid_bundle(output: Output, name: str, data: bytes) -> Bundle:
    """A bundle about the artifact of that name, on the disk until it is recorded, so that many need no memory. Called under `output_lock`.

    Raises:
        IncompleteError: the folder cannot be written.
    """
    signed = all(json.loads(line)["signatures"] for line in data.removesuffix(b"\n").split(b"\n"))
    return laid(output, name, data, signed=signed)


def _with(entry: Mapping[str, Any], signed: Iterable[SignedArtifact], bundle: Bundle | None) -> Mapping[str, Any]:
    by_target = {one["target"]: one for one in entry.get("signatures", ())} | {one.target: _signature(one) for one in signed}
    stated = {"path": f"{entry['name']}{EVIDENCE}", "sha256": bundle.sha256, "signed": bundle.signed} if bundle else None
    return {
        **entry,
        **({"signatures": [by_target[name] for name in sorted(by_target)]} if by_target else {}),
        **({"evidence": stated} if stated else {}),
    }


def _signature(signed: SignedArtifact) -> dict[str, Any]:
    places = {
        name: {"bucket": place.bucket, "key": place.key, "version": place.version}
        for name, place in (("source", signed.source), ("object", signed.object))
    }
    return {
        "target": signed.target,
        "account": signed.account,
        "region": signed.region,
        **places,
        "size": signed.size,
        "sha256": signed.sha256,
        "code_sha256": signed.code_sha256,
        "job": signed.job,
        "profile_version": signed.profile_version,
        "signed_at": signed.signed_at.isoformat(),
        "expires": signed.expires.isoformat(),
        "root": signed.root,
        "trust": signed.trust,
    }
