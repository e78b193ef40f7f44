"""Verify files: every artifact of a release, or zips by their path. Offline, but for a store of evidence in a bucket.

    verify_release(Path("dist"), request)
    verify_zip(Path("orders.zip"), request)

The policy is the verifier's own. That of the release is never read: whoever can change the zips can change it too.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.model.attestation import Envelope
from shipsafe.model.chain import Chain, Verification
from shipsafe.packing.publish import MANIFEST
from shipsafe.packing.release import Release, read_release
from shipsafe.signing.signed_zip import looked_at
from shipsafe.signing.zip_entries import read_entries
from shipsafe.verify.bundles import clean_last, envelopes_in, joined
from shipsafe.verify.files import open_regular
from shipsafe.verify.one import chain_of
from shipsafe.verify.piece import Piece
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.zip_contents import digests_of

_HERE = Path("dist")


def verify_release(out: Path, request: VerifyRequest) -> Verification:
    """A chain for every artifact of the release in a folder.

    Args:
        out: the folder.
        request: what it is held against.

    Raises:
        ConfigError: there is no such folder, or a bundle cannot be read.
        NothingError: there is no release in it.
        IncompleteError: the manifest was written by a newer shipsafe.
        IntegrityError: it is no release manifest.
    """
    release = read_release(out, digest=request.manifest_digest)
    more = _bundles(request.bundles)
    pieces = [
        Piece(subject=one.subject, path=one.path, shown=str(one.path), release=release, stated=one, envelopes=more)
        for one in release.artifacts
    ]
    return verification(_chains(pieces, request), request)


def verify_zip(path: Path, request: VerifyRequest) -> Verification:
    """The chain of one zip, unsigned or signed.

    Its evidence is looked for in `request.release`, else in the folder that it lies in, else in `dist`; in `request.bundles`; and in
    `request.store`.

    Raises:
        ConfigError: there is no such file, or a bundle cannot be read.
        ShipsafeError: as `verify_release`, of `request.release`.
    """
    return verification([chain_of(piece_of(path, request), request)], request)


def verify_zips(paths: Iterable[Path], request: VerifyRequest) -> Verification:
    """A chain for each of several zips; as `verify_zip`."""
    return verification(_chains([piece_of(path, request) for path in paths], request), request)


def verification(chains: Sequence[Chain], request: VerifyRequest) -> Verification:
    """Chains, and what they were held against."""
    return Verification(chains=tuple(chains), policy=request.policy.path, policy_digest=request.policy.digest)


def _chains(pieces: Sequence[Piece], request: VerifyRequest) -> list[Chain]:
    if request.jobs == 1 or len(pieces) == 1:
        return [chain_of(one, request) for one in pieces]
    with ThreadPoolExecutor(min(request.jobs, len(pieces)), thread_name_prefix="verify") as pool:
        return list(pool.map(partial(chain_of, request=request), pieces))


def piece_of(path: Path, request: VerifyRequest) -> Piece:
    """A zip, with the evidence that was found for it. What cannot be read of the zip itself its chain will say.

    Raises:
        ConfigError: there is no such file, or a bundle cannot be read.
        ShipsafeError: the release that was named cannot be used.
    """
    if not path.is_file():
        what = "This is no file." if path.exists() else "There is no such file."
        raise ConfigError(what, remedy="Name a zip, or the folder of a release.", path=str(path))
    path = path.resolve() if path.is_symlink() else path  # whoever names a link means what it leads to
    shown = str(path)
    envelopes, sha256, problem = list(_bundles(request.bundles)), "", None
    try:
        with open_regular(path, what="zip", shown=shown) as file:
            sha256 = digests_of(file, shown=shown).sha256
        envelopes += clean_last(joined(request.store.about, sha256)) if request.store else ()
    except ShipsafeError as error:
        problem = error if sha256 else None
    place = ", ".join([*map(str, request.bundles), *(["the store of evidence"] if request.store else [])])
    found = Piece(subject=path.name, path=path, shown=shown, envelopes=tuple(envelopes), place=place or shown, problem=problem)
    return next((piece for release in _releases(path, request) if (piece := _named_in(release, found, sha256))), found)


def _releases(path: Path, request: VerifyRequest) -> Iterator[Release]:
    """The release that was named; else the one that a zip lies in, and the one in `dist`."""
    if request.release is not None:
        yield read_release(request.release, digest=request.manifest_digest)
        return
    for folder in dict.fromkeys((path.absolute().parent, _HERE.absolute())):
        if (folder / MANIFEST).is_file():
            yield read_release(folder, digest=request.manifest_digest)


def _named_in(release: Release, piece: Piece, sha256: str) -> Piece | None:
    """The zip with what a release says of it: by its digest, unsigned or signed; else by its place or the job that signed it.

    By those two it should be another zip than it is, and its chain will say so.
    """
    job = ""
    for artifact, entry in zip(release.artifacts, release.document["artifacts"], strict=True):
        signature = next((one for one in entry.get("signatures", ()) if one["sha256"] == sha256), None)
        if signature is not None or artifact.sha256 == sha256:
            return replace(piece, release=release, stated=artifact, signature=signature)
    for artifact, entry in zip(release.artifacts, release.document["artifacts"], strict=True):
        if artifact.path.absolute() == piece.path.absolute():
            return replace(piece, release=release, stated=artifact)
        job = job or _job_in(piece.path)
        signature = next((one for one in entry.get("signatures", ()) if one["job"] == job), None)
        if signature is not None:
            return replace(piece, release=release, stated=artifact, signature=signature)
    return None


def _job_in(path: Path) -> str:
    """The job that a signature in a zip names, whatever else is wrong with it; "?" where none can be read."""
    try:
        with open_regular(path, what="zip", shown=str(path)) as file:
            signature = looked_at(file, read_entries(file), b"").signature
    except (ShipsafeError, OSError):
        return "?"
    return signature.job.arn if signature else "?"


def _bundles(paths: Iterable[Path]) -> tuple[Envelope, ...]:
    return tuple(one for path in paths for one in envelopes_in(path))
