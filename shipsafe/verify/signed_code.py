"""The code of a version of a function, or of a layer, joined by its digest to what was audited, built and signed.

`CodeSha256` is what Lambda computed of the zip that it has. A signing record that somebody vouches for says which unsigned zip that was,
and the evidence of that zip says the rest; no name is needed for it, and none is believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from shipsafe.adapters.aws.looks import Looks
from shipsafe.errors import ShipsafeError
from shipsafe.evidence.recorded import recorded, sha256_of
from shipsafe.model.attestation import Resource
from shipsafe.model.chain import Chain, Link
from shipsafe.model.signing import SignedArtifact, SigningJob
from shipsafe.verify import links, live_links
from shipsafe.verify.links import broken, held, not_asked, of_error
from shipsafe.verify.proof import Proof
from shipsafe.verify.shelf import Shelf
from shipsafe.verify.signer_records import Code, job_link, profile_link, signature_link
from shipsafe.verify.stated_links import stated_links
from shipsafe.verify.told import stated_subject
from shipsafe.verify.trusted import Trusted

_DEPLOY = "Find out who deployed it and how, and deploy what was signed again."
_OFFLINE = (links.BUNDLE, links.SBOM, links.PROVENANCE, links.GATES, links.VERDICT, links.SIGNING_RECORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An account and Region, and what is known of what runs there.

    Attributes:
        looks: at AWS. trusted: whose signatures count there. shelf: the evidence at hand.
        names: artifacts, by the names of functions, where somebody said which runs where.
        asked: names of the functions that are verified in this run.
    """

    looks: Looks
    trusted: Trusted
    shelf: Shelf
    names: Mapping[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()

    @property
    def now(self) -> datetime:
        """UTC."""
        return self.shelf.request.now

    @property
    def place(self) -> str:
        """For people."""
        return f"account {self.looks.aws.account}, {self.looks.aws.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is known of a code. `record` is None where no signing record that counts names it; `subject` as the project calls it, or ""."""

    links: tuple[Link, ...]
    proof: Proof | None = None
    record: SignedArtifact | None = None
    subject: str = ""

    def chain(self, subject: str, arn: str, more: tuple[Link, ...] = ()) -> Chain:
        """As a chain, with further links; `arn` is that of the version, so that a summary of it says where."""
        proof = self.proof
        digests = (Resource(name=arn, digests={"sha256": proof.sha256}),) if proof else ()
        return Chain(subject=subject, links=(*self.links, *more), digests=digests, attestations=proof.attested if proof else ())


def signed_code(site: Site, code: Code, *, artifact: str | None = None) -> Signed:
    """Everything about a code that evidence, Lambda and Signer say.

    Args:
        site: where it is.
        code: as Lambda tells of it.
        artifact: the name or subject of the artifact that it is to be, where somebody said so.
    """
    try:
        proof = _proof(site, code, artifact)
    except ShipsafeError as error:
        return Signed(links=(of_error(live_links.CODE, error), *_unasked("The evidence could not be read."), signature_link(code, None)))
    if proof.signing is None:
        return _unknown(site, code, proof, artifact)
    try:
        record = recorded(proof.signing.statement, shown=site.shelf.shown)
    except ShipsafeError as error:
        return Signed(links=(of_error(live_links.CODE, error), *proof.links, signature_link(code, None)), proof=proof)
    subject = stated_subject(proof)
    made = (
        _same(site, code, record, subject, artifact),
        *stated_links(proof, subject or _released(site, proof), site.shelf.request, site.shelf.release, site.shelf.shown),
        signature_link(code, record),
        job_link(site.looks, record, site.now),
        profile_link(site.looks, site.trusted, record.profile_version, _signed_at(site, record)),
    )
    return Signed(links=made, proof=proof, record=record, subject=subject)


def is_recorded(site: Site, code: Code) -> bool:
    """Whether a signing record that counts names a code.

    Raises:
        ShipsafeError: the evidence could not be read.
    """
    return _proof(site, code).signing is not None


def _proof(site: Site, code: Code, artifact: str | None = None) -> Proof:
    sha256 = sha256_of(code.code_sha256)
    subject = artifact if artifact is None or ":" in artifact else f"function:{artifact}"
    return site.shelf.proof(sha256, at=_day(site, code, sha256), subject=subject or "", function=code.function)


def _released(site: Site, proof: Proof) -> str:
    """The subject of an artifact without a provenance, as the manifest of the release says."""
    release = site.shelf.release
    return next((one.subject for one in release.artifacts if one.sha256 == proof.unsigned_sha256), "") if release else ""


def _same(site: Site, code: Code, record: SignedArtifact, subject: str, artifact: str | None) -> Link:
    """Whether the code is what was signed for here, and as what it is to run."""
    aws = site.looks.aws
    if (record.account, record.region) != (aws.account, aws.region):
        sentence = f"{code.what} {code.verb} what was signed for another account or Region."
        return broken(live_links.CODE, sentence, expected=site.place, found=f"account {record.account}, {record.region}", remedy=_DEPLOY)
    if artifact is not None and artifact not in (record.artifact, f"{artifact.partition(':')[0]}:{record.artifact}", subject):
        sentence = f"{code.what} {code.verb} what was signed as {record.artifact}."
        return broken(live_links.CODE, sentence, expected=artifact, found=subject or record.artifact, remedy=_DEPLOY)
    said = artifact is not None or code.link != live_links.SIGNATURE  # of layers their own link says where they are to be
    notes = () if said else (f"That it is to be {record.artifact} is what its digest says; nobody said which artifact is to run here.",)
    return held(
        live_links.CODE, f"{code.what} {code.verb} {record.artifact}, as it was signed: CodeSha256 {code.code_sha256}.", notes=notes
    )


def _unknown(site: Site, code: Code, proof: Proof, artifact: str | None) -> Signed:
    """The chain of a code that no signing record names: what evidence there is says why."""
    expected = ", ".join(dict.fromkeys(one.code_sha256 for one in _expected(site, artifact)))
    link = proof.link(links.SIGNING_RECORD)
    if proof.unsigned_sha256 == proof.sha256:
        sentence = f"{code.what} {code.verb} a zip as it was built, which nobody signed."
    elif site.shelf.knows(proof.sha256) and link is not None:
        sentence = f"No signing record that counts names the code that {code.what} {code.verb}: {link.sentence}"
    else:
        sentence = f"{code.what} {code.verb} code that no signing record names."
    first = broken(live_links.CODE, sentence, expected=expected, found=code.code_sha256,
                   remedy=f"{_DEPLOY} Looked for in {site.shelf.shown}.")  # fmt: skip
    offline = proof.links if site.shelf.knows(proof.sha256) else _unasked("Nothing is known of what runs.")
    profile = profile_link(site.looks, site.trusted, code.profile_version, None) if code.profile_version else None
    rest = (profile,) if profile else (not_asked(live_links.PROFILE, "It has no signature."),)
    job = not_asked(live_links.JOB, "There is no signing record to hold a job against.")
    return Signed(links=(first, *offline, signature_link(code, None), job, *rest), proof=proof)


def _unasked(why: str) -> tuple[Link, ...]:
    return tuple(not_asked(name, why) for name in _OFFLINE)


def _expected(site: Site, artifact: str | None) -> list[SignedArtifact]:
    """What could be meant to run here, as far as release and bundles say."""
    aws = site.looks.aws
    here = [one for one in site.shelf.records() if (one.account, one.region) == (aws.account, aws.region)]
    named = [one for one in here if artifact is not None and artifact.rpartition(":")[2] == one.artifact]
    return named or (here if len(here) == 1 else [])


def _signed_at(site: Site, record: SignedArtifact) -> datetime:
    """When it was signed: what the record says, or later where Signer says later."""
    try:
        started = _started(site, record.job)
    except ShipsafeError:  # said once, of the job itself
        started = None
    return max(record.signed_at, started) if started else record.signed_at


def _day(site: Site, code: Code, sha256: str) -> date:
    """The day on which keys must have been valid: of the job that Lambda and Signer know of, else today.

    What a record says of itself counts only where Signer could not be asked, which keeps the chain from holding anyway.
    """
    try:
        return (_started(site, code.job) or site.now).date()
    except ShipsafeError:
        return (site.shelf.claimed(sha256) or site.now).date()


def _started(site: Site, arn: str) -> datetime | None:
    if not arn:
        return None
    job = SigningJob.parse(arn)
    found = site.looks.job(job.id) if job.region == site.looks.aws.region else None
    return found.created if found else None
