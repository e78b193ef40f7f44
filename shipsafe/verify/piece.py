"""One zip to verify and where its evidence is; and the links that hold its bytes and its bundle against a release manifest."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.errors import ShipsafeError
from shipsafe.evidence.envelope import LARGEST, read_bundle
from shipsafe.model.attestation import Envelope
from shipsafe.model.chain import Link
from shipsafe.packing.release import Release, ReleasedArtifact
from shipsafe.verify import links
from shipsafe.verify.files import read_regular
from shipsafe.verify.proof import Proof
from shipsafe.verify.zip_contents import Bytes, Contents

_OTHER = "Somebody changed the bundle or the release manifest: find out who, and bring along the release whole, as it was; or build again."
_CHANGED = "Somebody changed the zip or the release manifest: find out who, and build again."
_NAME_IT = "Name its release with --release, its bundle with --bundle, or where evidence is kept with --evidence."
_WORDS = {"sha256": "SHA-256", "sha512": "SHA-512", "code_sha256": "CodeSha256", "size": "size"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One zip to verify, and where its evidence is.

    Attributes:
        subject: what a person asked about, for the chain.
        path: the zip; `shown` its name, for people.
        release: the manifest, where there is one, and `stated` what it says of the artifact.
        signature: the entry of `signatures` that names this signed zip; None for an unsigned one, and where there is none.
        envelopes: what was found elsewhere than in the bundle of the release; `place` where, for people.
        problem: why evidence could not be read, if that is so.
    """

    subject: str
    path: Path
    shown: str
    release: Release | None = None
    stated: ReleasedArtifact | None = None
    signature: Mapping[str, Any] | None = None
    envelopes: tuple[Envelope, ...] = ()
    place: str = "the evidence"
    problem: ShipsafeError | None = None

    @property
    def entry(self) -> Mapping[str, Any] | None:
        """What the release manifest says of the artifact, as it stands there."""
        if self.release is None or self.stated is None:
            return None
        return next((one for one in self.release.document["artifacts"] if one["name"] == self.stated.name), None)

    @property
    def signatures(self) -> Sequence[Mapping[str, Any]]:
        """The signatures that the release manifest names."""
        found: Sequence[Mapping[str, Any]] = (self.entry or {}).get("signatures", ())
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What evidence holds: envelopes, where they lie, and what is wrong with the bundle, if anything is."""

    envelopes: tuple[Envelope, ...]
    shown: str
    link: Link | None = None


def evidence_of(piece: Piece) -> Evidence:
    """The envelopes about a zip; nothing in them is believed yet. A missing or changed bundle is a link."""
    if piece.problem is not None:
        return Evidence(envelopes=piece.envelopes, shown=piece.place, link=links.of_error(links.BUNDLE, piece.problem))
    stated = piece.stated
    if stated is None or (stated.evidence is None and piece.envelopes):
        return Evidence(envelopes=piece.envelopes, shown=piece.place)
    if stated.evidence is None:
        what, remedy = "The release manifest names no evidence of it.", "Build the release again with a newer shipsafe."
        return Evidence(envelopes=(), shown=piece.shown, link=links.broken(links.BUNDLE, what, remedy=remedy, path=piece.shown))
    shown = str(stated.evidence)
    try:
        data = read_regular(stated.evidence, limit=LARGEST, what="bundle", shown=shown)
        envelopes = (*piece.envelopes, *read_bundle(data, shown=shown))  # the later counts: what is kept may be of an older build
    except ShipsafeError as error:
        return Evidence(envelopes=piece.envelopes, shown=shown, link=links.of_error(links.BUNDLE, error))
    if (found := hashlib.sha256(data).hexdigest()) == stated.evidence_sha256:
        return Evidence(envelopes=envelopes, shown=shown)
    what, expected = "It is not the bundle that the release manifest names.", f"sha256:{stated.evidence_sha256}"
    other = links.broken(links.BUNDLE, what, expected=expected, found=f"sha256:{found}", remedy=_OTHER, path=shown)
    return Evidence(envelopes=envelopes, shown=shown, link=other)


def zip_link(piece: Piece, found: Bytes, proof: Proof, *, signed: bool) -> Link:
    """The bytes: as the release manifest says; where there is none, as a statement that counts says."""

    def broken(what: str, expected: str, there: str, remedy: str) -> Link:
        return links.broken(links.ZIP, what, expected=expected, found=there, remedy=remedy, path=piece.shown)

    digest = f"sha256:{found.sha256}"
    if piece.stated is None:
        if not proof.unsigned_sha256:
            return broken("No evidence that counts is about this zip.", "a statement about it", digest, _NAME_IT)
        return links.held(links.ZIP, f"{found.size} bytes, of which evidence speaks: {digest}.")
    if signed and piece.signature is None:
        return broken("The release manifest does not name this signed zip.", "one of its `signatures`", digest, _CHANGED)
    for name, expected in _stated(piece, piece.stated).items():
        there, word = getattr(found, name), _WORDS[name]
        if there != expected:
            return broken(f"It is not the zip of the release: it has another {word}.", f"{word} {expected}", f"{word} {there}", _CHANGED)
    return links.held(links.ZIP, f"{found.size} bytes, as the release manifest says: {digest}.")


def _stated(piece: Piece, stated: ReleasedArtifact) -> dict[str, Any]:
    """What the manifest says of these bytes."""
    if piece.signature is not None:
        return {name: piece.signature[name] for name in ("sha256", "code_sha256", "size")}
    return {name: getattr(stated, name) for name in _WORDS}


def contents_link(piece: Piece, contents: Contents) -> Link:
    """What lies in the zip: as the release manifest says. The SBOM is held against it in a link of its own."""

    def broken(what: str, expected: str, there: str) -> Link:
        return links.broken(links.CONTENTS, what, expected=expected, found=there, remedy=_CHANGED, path=piece.shown)

    number, stated = len(contents.entries), piece.stated
    comparable = not (contents.rightless and contents.zipped.signature)  # Signer may leave out the rights, which the digest covers
    if not number:
        return broken("There is no file in the zip.", "at least one", "none")
    if stated is not None and comparable and contents.content_digest != stated.content_digest:
        return broken("What lies in the zip is not what the release manifest says.", stated.content_digest, contents.content_digest)
    if stated is not None and number != stated.entries:
        return broken("The release manifest says another number of files than lie in the zip.", str(stated.entries), str(number))
    files = "1 file" if number == 1 else f"{number} files"
    return links.held(links.CONTENTS, f"{files}, which every program finds alike: {contents.content_digest}.")
