"""Sign what a builder states of a release, where the build itself had no keys.

A job that builds holds no secret, so that its statements are unsigned. Another one, which runs nothing of the project, signs them with
the builder's key, each envelope in its place and byte for byte. Before that it looks at what it is going to vouch for:

- every file is the one that the manifest names;
- of each artifact there are a provenance, an SBOM and what the gates said, once, about exactly this zip, and nothing else that could be
  taken for a builder's word: whoever builds writes the bundle;
- they say what the manifest says; the builder that they name is the workflow that this is, and the commit the one that it runs for.

What somebody has signed already stays as it is.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.github_job import on_github
from shipsafe.adapters.shown import shown as fit
from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.evidence.envelope import enveloped, payload, statement_of
from shipsafe.evidence.predicates import check
from shipsafe.evidence.provenance import builder_of
from shipsafe.evidence.sbom import stated as stated_sbom
from shipsafe.evidence.trust import role_of
from shipsafe.flows.stated import builder_id, stated
from shipsafe.flows.vouching import builder_words
from shipsafe.model.artifact import Bundle
from shipsafe.model.attestation import Envelope, Predicate, Resource, Role, Statement
from shipsafe.model.policy import Policy
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import check_unchanged, repair
from shipsafe.packing.release import Release, ReleasedArtifact, laid_bundle, read_release, record_signatures
from shipsafe.verify.bundles import envelopes_of
from shipsafe.verify.files import read_regular

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_AT_ONCE = 4
_LONGEST = 200  # characters of a value in a message
_LARGEST_SBOM = 48 * MEBIBYTE  # as `sign` takes it
_NO_ONES = Policy(path=None, digest="")  # trusts nobody and takes what is unsigned: it is not judged here whose word counts
_BUILD = "Build the release again, and attest it in the workflow that built it."
_CHANGED = "Somebody changed it on the way: find out who, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedRelease:
    """A release whose builder's statements are signed: `builder` built it, and of each artifact so many were `signed` now."""

    release: Release
    builder: str
    signed: Mapping[str, int]


def attest_release(
    out: Path, signers: "Sequence[Signer]", *, environment: Mapping[str, str], today: date, digest: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> AttestedRelease:  # fmt: skip
    """Sign the builder's statements about every artifact of the release in a folder, all of them or none.

    Args:
        out: the folder.
        signers: whose keys sign; each signs each statement.
        environment: says which workflow this is, and for which commit it runs.
        today: the day of signing, UTC.
        digest: `sha256:HEX` that the release manifest has to be; None where nobody says.
        say: is told when another run holds the folder.

    Raises:
        ConfigError: there is no such folder, or no key.
        NothingError: there is no release in it.
        IntegrityError: a file, a statement, the builder or the commit is another than it should be, or something is not stated.
        IncompleteError: the folder cannot be written.
        ShipsafeError: a key cannot sign.
    """
    if not signers:
        raise ConfigError("Nothing is attested without a key.", remedy="Name the builder's: --key awskms:ARN, --key sigstore: or a file.")
    read_release(out, digest=digest)  # before a lock is put into a folder that holds no release
    with output_lock(out, on_wait=lambda: say(f"Another shipsafe works in {out}; waiting for it to end.")):
        output = Output(out)
        check_unchanged(output)
        repair(output)
        release = read_release(out, digest=digest)
        builder_words(release, _NO_ONES, today=today)
        builder, commit = builder_of(environment), _commit_of(environment)
        for artifact in release.artifacts:  # all of them, before a signature is made: Sigstore's log forgets none
            _check(artifact, _sbom(output, artifact), builder, commit)
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="attest")
        try:
            done = list(pool.map(lambda one: _signed(output, one, signers), release.artifacts))
            if made := {one.name: one.bundle for one in done if one.bundle is not None}:
                release = record_signatures(output, release, (), None, made)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            output.tidy()
    return AttestedRelease(release=release, builder=builder, signed={one.name: one.number for one in done})


def _sbom(output: Output, artifact: ReleasedArtifact) -> bytes:
    """The SBOM of an artifact, b"" where it has none; it and the zip are those of the manifest.

    Raises:
        IntegrityError: they are not.
    """
    if output.digest_of(artifact.path) != artifact.sha256:
        raise IntegrityError("It is not there, or not the zip of the release.", remedy=_CHANGED, path=str(artifact.path))
    if artifact.sbom is None:
        return b""
    data = read_regular(artifact.sbom, limit=_LARGEST_SBOM, what="SBOM", shown=str(artifact.sbom))
    if hashlib.sha256(data).hexdigest() != artifact.sbom_sha256:
        raise IntegrityError("It is not the SBOM of the release.", remedy=_CHANGED, path=str(artifact.sbom))
    return data


def _statements(artifact: ReleasedArtifact) -> list[tuple[Envelope, Statement]]:
    return [(one, statement_of(one, shown=str(artifact.evidence))) for one in envelopes_of(artifact)]


def _check(artifact: ReleasedArtifact, sbom: bytes, builder: str, commit: str | None) -> None:
    """Whether a builder states what builders of ours do, once each, and nothing else: its key would vouch for that, too.

    Raises:
        IntegrityError: it does not.
    """
    shown = str(artifact.evidence or artifact.path)
    own = [(envelope, statement) for envelope, statement in _statements(artifact) if role_of(statement) is Role.BUILDER]
    wanted = [Predicate.PROVENANCE, Predicate.GATES, *([Predicate.SBOM] if artifact.sbom else ())]
    kinds = Counter(statement.kind for _, statement in own)
    for kind in wanted:
        if kinds[kind] != 1:
            times = "twice" if kinds[kind] else "nowhere"
            raise IntegrityError(f"The {kind.name.lower()} of {artifact.name} is stated {times}.", remedy=_BUILD, path=shown)
    if other := sorted(kinds.keys() - set(wanted)):
        raise IntegrityError(f"It holds a {fit(other[0], _LONGEST)}, which no builder states of it.", remedy=_CHANGED, path=shown)
    for envelope, statement in own:
        _check_said(artifact, envelope, statement, sbom)
        if statement.kind == Predicate.PROVENANCE:
            _check_built(artifact, statement, builder, commit)


def _check_said(artifact: ReleasedArtifact, envelope: Envelope, statement: Statement, sbom: bytes) -> None:
    """Whether a statement is, byte for byte, one about this zip alone; that of an SBOM the one of the file.

    Raises:
        IntegrityError: it is not.
    """
    zipped = Resource(name=artifact.path.name, digests={"sha256": artifact.sha256, "sha512": artifact.sha512})
    wanted = stated_sbom(zipped, sbom) if statement.kind == Predicate.SBOM else payload(replace(statement, subjects=(zipped,)))
    if envelope.payload != wanted:
        what = f"Its {Predicate(statement.kind).name.lower()} statement is not about {artifact.path.name} alone, as it lies there."
        raise IntegrityError(what, remedy=_CHANGED, path=str(artifact.evidence))
    check(statement.kind, statement.predicate, shown=str(artifact.evidence))
    if statement.kind == Predicate.GATES and statement.predicate["subject"] != artifact.subject:
        what = f"It says what the gates said of {fit(str(statement.predicate['subject']), _LONGEST)}."
        raise IntegrityError(what, remedy=_CHANGED, path=str(artifact.evidence))


def _check_built(artifact: ReleasedArtifact, statement: Statement, builder: str, commit: str | None) -> None:
    """Whether a provenance names the builder that this is, and the commit that this runs for.

    Raises:
        IntegrityError: it does not.
    """
    shown = str(artifact.evidence)
    if (said := builder_id(statement.predicate)) != builder:
        what = f"Its provenance says that {fit(str(said), _LONGEST)} built it, and this is {builder}."
        raise IntegrityError(what, remedy=_BUILD, path=shown)
    if commit is not None and (told := stated(statement.predicate).get("commit")) != commit:
        what = f"Its provenance names commit {fit(str(told), _LONGEST)}, and this run is of {commit}."
        raise IntegrityError(what, remedy="Check out and build the commit of the run.", path=shown)


def _commit_of(environment: Mapping[str, str]) -> str | None:
    """The commit that a workflow on GitHub runs for; None elsewhere."""
    return environment.get("GITHUB_SHA") if on_github(environment) else None


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of one artifact: how many statements were signed, and its new bundle, None where it stays as it was."""

    name: str
    number: int
    bundle: Bundle | None


def _signed(output: Output, artifact: ReleasedArtifact, signers: "Sequence[Signer]") -> _Done:
    """Sign what a builder states of an artifact and nobody has signed; everything else of its bundle stays, in its place."""
    lines, number = [], 0
    for envelope, statement in _statements(artifact):
        mine = role_of(statement) is Role.BUILDER and not envelope.signatures
        number += mine
        lines.append(enveloped(envelope.payload, signers) if mine else envelope.line)
    bundle = laid_bundle(output, artifact.name, b"".join(line + b"\n" for line in lines)) if number else None
    return _Done(artifact.name, number, bundle)
