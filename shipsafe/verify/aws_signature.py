"""The links `signing-record`, `aws-signature` and `signed-contents`: who signed, with which job, and whether AWS says so too.

Everything is read from the zip and from evidence; AWS is asked nothing. What was revoked since, only AWS knows (`verify --function`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.evidence.recorded import recorded
from shipsafe.model.attestation import Vouched
from shipsafe.model.chain import Hold, Link
from shipsafe.model.signing import SignedArtifact
from shipsafe.packing.release import ReleasedArtifact
from shipsafe.signing.compare import compare
from shipsafe.signing.roots import trust
from shipsafe.signing.signature import Signature
from shipsafe.verify import links
from shipsafe.verify.files import open_regular
from shipsafe.verify.proof import Proof, doubt
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.trusted import REMEDY, Trusted
from shipsafe.verify.zip_contents import Contents, digests_of

NOTHING_OF_AWS = "Nothing of AWS was looked at: this is the unsigned zip. Name the signed one, or the function (--function)."
_AGAIN = "Sign the unsigned zip again."
_CHANGED = "Somebody changed one of them: find out who, and sign the unsigned zip again."
_NAMELESS = "its [[sign.target]] does not say whose the profile is (`account`)"
_MEMBERS = ("account", "region", "size", "sha256", "code_sha256", "job", "profile_version", "root", "trust")


def record_link(proof: Proof, entries: Iterable[Mapping[str, Any]], *, signed: bool, release: bool, shown: str) -> Link:
    """The signing records that are vouched for, beside the signatures that a release manifest names.

    Args:
        proof: of the zip.
        entries: `signatures` of the manifest about this artifact.
        signed: whether the zip itself is a signed one.
        release: whether there is a manifest.
        shown: the bundle, for people.
    """
    stated = list(entries)
    link = proof.link(links.SIGNING_RECORD)
    if signed and (link is None or link.hold is not Hold.HELD):
        return link or links.broken(links.SIGNING_RECORD, "There is no signing record about it.", remedy=_AGAIN, path=shown)
    if not signed and not stated and not proof.signings:
        return links.not_asked(links.SIGNING_RECORD, "No target has signed it, as far as evidence says.")
    records = [(one, recorded(one.statement, shown=shown)) for one in proof.signings]
    if other := next(_differences(records, stated, proof, release=release), None):
        sentence, expected, found = other
        return links.broken(links.SIGNING_RECORD, sentence, expected=expected, found=found, remedy=_CHANGED, path=shown)
    told = [proof.signing] if signed and proof.signing else [one for one, _ in records]
    names = ", ".join(sorted(record.target for vouched, record in records if vouched in told))
    who = sorted({name for one in told for name in one.by})
    by = f"vouched for by {', '.join(who)}" if who else "of which nobody vouches"
    notes = dict.fromkeys(note for one in told if (note := doubt(one)))
    return links.held(links.SIGNING_RECORD, f"The signing record joins the unsigned to the signed zip at {names}, {by}.", notes=notes)


def _differences(
    records: list[tuple[Vouched, SignedArtifact]], stated: list[Mapping[str, Any]], proof: Proof, *, release: bool
) -> Iterator[tuple[str, str, str]]:  # fmt: skip
    """What the manifest says and no record does, or differently; and the signed zip that the manifest does not name."""
    by_digest = {record.sha256: record for _, record in records}
    for entry in stated:
        record = by_digest.get(entry["sha256"])
        target = str(entry["target"])[:80]
        if record is None:
            yield (f"There is no signing record of what the release manifest says that target {target} signed.",
                   f"sha256:{entry['sha256']}", ", ".join(f"sha256:{one}" for one in by_digest) or "none")  # fmt: skip
            continue
        for name in ("target", *_MEMBERS):
            if getattr(record, name) != entry[name]:
                yield (f"The signing record and the release manifest differ in the {name.replace('_', ' ')} at target {target}.",
                       str(getattr(record, name))[:300], str(entry[name])[:300])  # fmt: skip
        for name in ("source", "object"):
            place = getattr(record, name)
            if {"bucket": place.bucket, "key": place.key, "version": place.version} != entry[name]:
                yield (f"The signing record and the release manifest differ in the {name} at target {target}.",
                       str(place), str(dict(entry[name]))[:300])  # fmt: skip
    if release and proof.signing and proof.sha256 not in {entry["sha256"] for entry in stated}:
        yield "The release manifest does not name this signed zip.", f"sha256:{proof.sha256}", f"{len(stated)} others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The signature inside a zip, and the record of it, None where nothing vouches for one."""

    contents: Contents
    record: SignedArtifact | None
    vouched: bool
    shown: str


def signature_link(inside: Inside, request: VerifyRequest) -> Link:
    """The AWS signature in a zip: intact, AWS's, by a profile version that the policy trusts, the recorded job, not expired."""
    signature = inside.contents.zipped.signature
    if signature is None:
        return links.not_asked(links.AWS_SIGNATURE, NOTHING_OF_AWS)
    if not inside.contents.zipped.intact:
        what = "The contents are not those that AWS signed: an entry was changed, added, removed, renamed or moved."
        return links.broken(links.AWS_SIGNATURE, what, remedy=_AGAIN, path=inside.shown)
    try:
        root = trust(signature.root, policy_roots=request.policy.sign.roots, local_root=request.local_root)
    except IntegrityError as error:
        return links.of_error(links.AWS_SIGNATURE, error)
    if why := _why_not(signature, inside, request):
        remedy = "Set `account` there, or `accounts` of the policy." if why == _NAMELESS else REMEDY
        return links.broken(links.AWS_SIGNATURE, f"It was signed by a profile version that is not trusted: {why}.",
                            expected=_trusted(request), found=signature.profile_version.arn, remedy=remedy, path=inside.shown)  # fmt: skip
    if signature.expires <= request.now:
        return links.broken(links.AWS_SIGNATURE, f"The AWS signature expired on {signature.expires:%Y-%m-%d}.", expected="not expired",
                            found=signature.expires.isoformat(), remedy=_AGAIN, path=inside.shown)  # fmt: skip
    if inside.record and (other := next(_apart(signature, inside.record), None)):
        name, recorded_as, found = other
        return links.broken(links.AWS_SIGNATURE, f"The AWS signature is of another {name} than the signing record says.",
                            expected=recorded_as, found=found, remedy=_CHANGED, path=inside.shown)  # fmt: skip
    return links.too_early(links.AWS_SIGNATURE, signature.signed_at, request.now) or links.held(
        links.AWS_SIGNATURE, _said(signature, root), notes=_notes(signature, root, request)
    )


def _why_not(signature: Signature, inside: Inside, request: VerifyRequest) -> str:
    """Why the policy does not trust the profile version; "" where it does.

    A target that says no account is meant in the policy's own accounts, and in the one that a signer vouches for; never in the one that
    the zip names of itself.
    """
    arn, region = signature.profile_version.arn, signature.profile_version.region
    accounts = [*request.policy.accounts, *([inside.record.account] if inside.record and inside.vouched else [])]
    reasons = [Trusted(policy=request.policy.sign, account=one, region=region).why_not(arn) for one in accounts or [""]]
    if "" in reasons:
        return ""
    nameless = any(target.profile == signature.profile_version.name and not (target.account or target.profile_owner)
                   for target in request.policy.sign.targets)  # fmt: skip
    return _NAMELESS if nameless and not accounts else reasons[0]


def _trusted(request: VerifyRequest) -> str:
    sign = request.policy.sign
    named = [*(f"profile {one.profile} of target {one.name}" for one in sign.targets), *(one.arn for one in sign.publishers)]
    return ", ".join(named)[:300] or "none"


def _apart(signature: Signature, record: SignedArtifact) -> Iterator[tuple[str, str, str]]:
    """What the record says and the signature does not."""
    told = (
        ("job", record.job, signature.job.arn),
        ("profile version", record.profile_version, signature.profile_version.arn),
        ("root", record.root, signature.root),
        ("time", record.signed_at.isoformat(), signature.signed_at.isoformat()),
        ("expiry", record.expires.isoformat(), signature.expires.isoformat()),
    )
    return ((name, said, found) for name, said, found in told if said != found)


def _said(signature: Signature, root: str) -> str:
    whose = {"aws": "AWS Signer's root", "policy": "a root of the policy", "local": "the root of the local endpoint, not AWS's"}[root]
    return (f"Job {signature.job.id} signed these contents with {signature.profile_version.arn} on {signature.signed_at:%Y-%m-%d}, "
            f"until {signature.expires:%Y-%m-%d}, under {whose}.")  # fmt: skip


def _notes(signature: Signature, root: str, request: VerifyRequest) -> Iterator[str]:
    yield "What was revoked since it was signed, only AWS can say: `shipsafe verify --function`."
    if root == "local":
        yield "LOCAL: the local endpoint signed it, not AWS."
    if signature.signed_at > request.now:
        yield "It was signed after the time that this machine's clock shows."


def same_contents_link(inside: Inside, stated: ReleasedArtifact | None, unsigned_sha256: str, file: BinaryIO) -> Link:
    """Whether the signed zip is the unsigned one and the signature, entry by entry, where the unsigned one lies here too."""
    if inside.contents.zipped.signature is None:
        return links.not_asked(links.SIGNED_CONTENTS, "This is the unsigned zip.")
    if stated is None or not _is_there(stated.path):
        return links.not_asked(
            links.SIGNED_CONTENTS, "The unsigned zip is not here; what lies in the signed one was held against the SBOM."
        )
    try:
        with open_regular(stated.path, what="unsigned zip", shown=str(stated.path)) as before:
            found = digests_of(before, shown=str(stated.path)).sha256
            if found != unsigned_sha256:
                return links.broken(links.SIGNED_CONTENTS, "The unsigned zip beside it is another one than was signed.",
                                    expected=f"sha256:{unsigned_sha256}", found=f"sha256:{found}", remedy=_CHANGED,
                                    path=str(stated.path))  # fmt: skip
            notes = compare(before, file)
    except ShipsafeError as error:
        return links.of_error(links.SIGNED_CONTENTS, error)
    return links.held(links.SIGNED_CONTENTS, "The signed zip is the unsigned one and the signature, and nothing else.", notes=notes)


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()
