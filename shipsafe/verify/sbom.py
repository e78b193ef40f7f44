"""The link `sbom`: the document that was published, the one that was stated, and what lies in the zip are the same.

The document is read once, out of its statement. Where a release has it as a file, its bytes are those of the statement, and their SHA-256
is the one of the release manifest. Compared with the zip are every file with its SHA-256 and mode, nothing missing and nothing extra, and
every distribution with its metadata (`evidence/reconcile.py`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.evidence.reconcile import claims_of, reconcile
from shipsafe.evidence.recorded import code_sha256_of
from shipsafe.evidence.schema import validate
from shipsafe.model.attestation import STATEMENT, Vouched
from shipsafe.model.chain import Hold, Link
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, Subject
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Distribution, content_digest
from shipsafe.packing.draft import Draft
from shipsafe.packing.handed_over import Zipped, known_tree
from shipsafe.packing.manifest import Told
from shipsafe.packing.release import ReleasedArtifact
from shipsafe.verify import links
from shipsafe.verify.files import read_regular
from shipsafe.verify.zip_contents import Bytes, Contents

_LARGEST = 48 * MEBIBYTE  # of the 50,000 files that a build takes
_HEAD = f'{{"_type":"{STATEMENT}","predicate":'.encode()  # what a statement of ours begins with
_REMEDY = "Somebody changed the zip, its SBOM or the release manifest: find out who, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What an SBOM is held against.

    Attributes:
        sbom: the statement, vouched for, and its link.
        stated: what the release manifest says, or None where there is none.
        contents: of the zip, read into `scratch`.
        unsigned_sha256: hex, of the zip before it was signed.
        subject: `function:NAME` or `layer:NAME`; `told` runtimes and architectures, as the provenance has them.
        shown: where the statement lies, for people.
    """

    sbom: Vouched
    link: Link
    stated: ReleasedArtifact | None
    contents: Contents
    scratch: Path
    unsigned_sha256: str
    subject: str
    told: Told
    shown: str


def sbom_link(listed: Listed, policy: Policy) -> tuple[Link, tuple[Distribution, ...] | None]:
    """The link, and the distributions of the zip where it holds."""
    try:
        if other := _published(listed.stated, listed.sbom):
            return other, None
        distributions, notes = _described(listed, policy)
    except ShipsafeError as error:
        return links.of_error(links.SBOM, error), None
    number, more = len(listed.contents.entries), len(distributions)
    files, names = "file" if number == 1 else "files", "distribution" if more == 1 else "distributions"
    sentence = f"The SBOM lists what is in the zip, nothing less and nothing more: {number} {files}, {more} {names}."
    return Link(id=links.SBOM, hold=Hold.HELD, sentence=sentence, notes=(*listed.link.notes, *notes)), distributions


def _published(stated: ReleasedArtifact | None, sbom: Vouched) -> Link | None:
    """What is wrong with the SBOM that lies in the release, if there is a release.

    Raises:
        IntegrityError: the manifest names none, it is not there, or it is not the one that was stated.
        IncompleteError: it cannot be read.
    """
    if stated is None:
        return None
    if stated.sbom is None:
        raise IntegrityError("The release manifest names no SBOM of it.", remedy="Build the release again.", path=str(stated.path))
    shown = str(stated.sbom)
    data = read_regular(stated.sbom, limit=_LARGEST, what="SBOM", shown=shown)
    if (found := hashlib.sha256(data).hexdigest()) != stated.sbom_sha256:
        return links.broken(links.SBOM, "It is not the SBOM that the release manifest names.", expected=f"sha256:{stated.sbom_sha256}",
                            found=f"sha256:{found}", remedy=_REMEDY, path=shown)  # fmt: skip
    if sbom.envelope.payload.startswith(_HEAD + data.rstrip(b"\n") + b',"predicateType":'):
        return None  # as it was stated, byte by byte; elsewhere in the payload it would be another member's value
    try:
        same = json.loads(data) == sbom.statement.predicate
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise IntegrityError("It is not the SBOM that was stated.", remedy=_REMEDY, path=shown)
    return None


def _described(listed: Listed, policy: Policy) -> tuple[tuple[Distribution, ...], tuple[str, ...]]:
    """The distributions in the zip, and what is odd.

    Raises:
        IntegrityError: the document is not valid, or describes another zip.
    """
    document, shown, contents = listed.sbom.statement.predicate, listed.shown, listed.contents
    if document.get("specVersion") != "1.6":
        raise IntegrityError("It is not a document of CycloneDX 1.6.", remedy=_REMEDY, path=shown)
    if problems := validate(document):
        raise IntegrityError(f"It is not valid CycloneDX 1.6: {problems[0][:300]}", remedy=_REMEDY, path=shown)
    claims = claims_of(document, shown=shown)
    notes: tuple[str, ...] = ()
    if contents.rightless and contents.zipped.signature:
        contents = _with_rights(contents, document)
        notes = ("The signed zip says nothing of the rights of its files; those of the SBOM were taken.",)
    unsigned = _unsigned_bytes(listed)
    archive = contents.archive(listed.subject, unsigned)
    draft = Draft(listed.scratch)
    draft.entries.update({entry.path: entry for entry in contents.entries})
    zipped = Zipped(path=Path(shown), copy=Path(shown), sha256=archive.sha256, sha512=archive.sha512, code_sha256=archive.code_sha256,
                    content_digest=archive.content_digest, size=archive.size, draft=draft)  # fmt: skip
    subject = _subject(listed, claims.runtime)
    tree = known_tree(zipped, subject, policy=policy, claims=claims)
    reconcile(document, subject, tree, archive, shown=shown)
    return tree.distributions, notes


def _with_rights(contents: Contents, document: Mapping[str, Any]) -> Contents:
    """With the rights of the SBOM: Signer may leave them out, and nothing can be hidden in a zip that says none."""
    programs = {
        component["name"]
        for component in document.get("components", ())
        if {"name": "shipsafe:mode", "value": f"{PROGRAM_MODE:o}"} in component.get("properties", ())
    }
    entries = tuple(replace(entry, mode=PROGRAM_MODE if entry.path in programs else FILE_MODE) for entry in contents.entries)
    return replace(contents, entries=entries, content_digest=content_digest(entries))


def _unsigned_bytes(listed: Listed) -> Bytes:
    """The bytes of the unsigned zip: those that lie here; for a signed zip those that were stated of it, which nobody can see any more."""
    contents, statement = listed.contents, listed.sbom.statement
    if contents.zipped.signature is None:
        return contents.bytes
    digests = next((one.digests for one in statement.subjects if one.digests["sha256"] == listed.unsigned_sha256), {})
    hashes = statement.predicate.get("metadata", {}).get("component", {}).get("hashes", ())
    told = next((one["content"] for one in hashes if one["alg"] == "SHA-512"), "")
    return Bytes(sha256=listed.unsigned_sha256, sha512=digests.get("sha512", told), code_sha256=code_sha256_of(listed.unsigned_sha256),
                 size=contents.bytes.size)  # fmt: skip


def _subject(listed: Listed, runtime: str | None) -> Subject:
    """The function or layer; what a layer was built for only its SBOM says, and it is compared with the files."""
    kind, _, name = listed.subject.partition(":")
    code = Code(kind=CodeKind.ZIP, path=listed.shown)
    place = Location(path=listed.shown)
    if kind == "layer":
        built_for = runtime if (runtime or "").startswith("python3.") else None
        return Layer(name=name, code=code, location=place, runtimes=listed.told.runtimes, architectures=listed.told.architectures,
                     build_method=built_for)  # fmt: skip
    return Function(name=name, runtime=next(iter(listed.told.runtimes), None), handler=listed.told.handler, code=code, location=place,
                    architectures=listed.told.architectures)  # fmt: skip
