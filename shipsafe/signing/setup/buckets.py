"""A bucket as it was found, against the bucket as it should be.

What is missing is made and what is looser is tightened; nothing is ever loosened, and nothing is removed that somebody else may need. A
life cycle only grows, and where unsigned zips lie already none is added that would remove them.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from shipsafe.adapters.aws.bucket_settings import make_bucket, set_bucket
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.signing.setup.check import Check, Mend, State
from shipsafe.signing.setup.look import BucketLook
from shipsafe.signing.setup.wanted import TLS_SID, bucket_settings, tls_statement

_FORBIDDEN = 403
# Classes whose objects must be restored before anybody can read them: "Amazon S3 storage classes", User Guide.
_FROZEN = {"GLACIER", "DEEP_ARCHIVE"}
_WHY = {
    "public access": "all four blocks",
    "ownership": "BucketOwnerEnforced: access lists count for nothing",
    "versioning": "Signer and Lambda name exact versions",
    "policy": "nothing without TLS",
    "life cycle": "unsigned zips go after 90 days, unfinished uploads after 7; what is signed stays",
}


def bucket_checks(look: BucketLook) -> Iterator[Check]:
    """All checks of one bucket."""
    about = partial(Check, targets=look.targets)
    here = f"{look.aws.region}, account {look.aws.account}"
    if look.error is not None:
        state = State.WRONG if isinstance(look.error, IntegrityError) else State.UNKNOWN
        yield about(about="bucket", state=state, says=look.error.what, remedy=_remedy(look.error), stops=True)
    elif look.region is None:
        yield about(about="bucket", state=State.MISSING, says=f"There is no bucket {look.name}.", mends=tuple(_anew(look)))
    elif look.region != look.aws.region:
        says = f"Bucket {look.name} is in {look.region}, and the target signs in {look.aws.region}: Signer works in one region."
        yield about(about="bucket", state=State.MISSING, says=says, remedy="Name a bucket of that region in the policy.", stops=True)
    elif look.settings is not None:
        yield about(about="bucket", state=State.OK, says=f"{look.name} is there ({here}).")
        wanted = _wanted(look)
        for name, value in wanted.items():
            if (refused := look.settings.refused.get(name)) is not None:
                yield about(about=name, state=State.UNKNOWN, says=refused.what, remedy=refused.remedy, stops=True)
            else:
                yield from _COMPARED[name](look, look.settings.values[name], value)


def _remedy(error: ShipsafeError) -> str:
    """S3 answers 403 both for a bucket that we may not look at and for one that is another account's."""
    if isinstance(error, AwsRefusal) and error.status == _FORBIDDEN:
        return f"{error.remedy} If the bucket is somebody else's, choose another name: all accounts share them."
    return error.remedy


def _wanted(look: BucketLook) -> dict[str, Any]:
    return bucket_settings(look.name, partition=look.aws.partition, prefixes=look.prefixes, kms_key=look.kms_key)


def _anew(look: BucketLook) -> Iterator[Mend]:
    make = partial(make_bucket, look.aws, look.name)
    yield Mend(what=f"create bucket {look.name} in {look.aws.region}", why=f"account {look.aws.account} has none", act=make)
    for name, value in _wanted(look).items():
        yield _set(look, name, value)


def _set(look: BucketLook, name: str, value: Any) -> Mend:
    why = _WHY.get(name) or (f"SSE-KMS with {look.kms_key}" if look.kms_key else "SSE-S3")
    return Mend(what=f"set the {name} of bucket {look.name}", why=why, act=partial(set_bucket, look.aws, look.name, name, value))


def _ok(look: BucketLook, name: str, says: str) -> Check:
    return Check(targets=look.targets, about=name, state=State.OK, says=says)


def _mended(look: BucketLook, name: str, says: str, value: Any) -> Check:
    return Check(targets=look.targets, about=name, state=State.MISSING, says=says, mends=(_set(look, name, value),))


def _left(look: BucketLook, name: str, says: str, remedy: str) -> Check:
    return Check(targets=look.targets, about=name, state=State.MISSING, says=says, remedy=remedy)


def _versioning(look: BucketLook, found: Any, wanted: Any) -> Iterator[Check]:
    if found == wanted:
        yield _ok(look, "versioning", "Enabled.")
    else:
        yield _mended(look, "versioning", f"Versioning is {'suspended' if found else 'off'} on bucket {look.name}.", wanted)


def _public(look: BucketLook, found: Any, wanted: Any) -> Iterator[Check]:
    off = [name for name in wanted if not (found or {}).get(name)]
    if off:
        yield _mended(look, "public access", f"Bucket {look.name} lacks {', '.join(off)}.", wanted)
    else:
        yield _ok(look, "public access", "All four blocks.")


def _ownership(look: BucketLook, found: Any, wanted: Any) -> Iterator[Check]:
    if found == wanted:
        yield _ok(look, "ownership", f"{found}.")
    elif found is None:  # S3 refuses the change where an access list gives something to others: nothing is taken from anybody unseen
        yield _mended(look, "ownership", f"Bucket {look.name} has no ownership controls.", wanted)
    else:
        says = f"Objects in bucket {look.name} belong to whoever wrote them: {found}, not {wanted}."
        yield _left(look, "ownership", says, "Set it yourself, once nothing depends on access lists.")


def _encryption(look: BucketLook, found: Any, wanted: Any) -> Iterator[Check]:
    default = (found or {}).get("ApplyServerSideEncryptionByDefault", {})
    kind, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
    if kind is None:
        yield _mended(look, "encryption", f"Bucket {look.name} has no default encryption.", wanted)
    elif look.kms_key is None or key == look.kms_key:
        yield _ok(look, "encryption", f"{kind}{f' with {key}' if key else ''}.")
    elif key is None:
        says = f"Bucket {look.name} encrypts with {kind}, and the policy wants {look.kms_key}."
        yield _mended(look, "encryption", says, {**found, **wanted})  # what else the rule says stays: blocked kinds of encryption, for one
    else:
        says = f"Bucket {look.name} encrypts with {key}, and the policy wants {look.kms_key}."
        yield _left(look, "encryption", says, "Change one of them; if they are two names of one key, write the bucket's in the policy.")


def _policy(look: BucketLook, found: Any, wanted: Any) -> Iterator[Check]:
    statements = (found or {}).get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    statement = tls_statement(look.name, look.aws.partition)
    if any(_denies_plain(one, statement) for one in statements):
        yield _ok(look, "policy", "Nothing without TLS.")
    else:
        others = [one for one in statements if one.get("Sid") != TLS_SID]
        value = {**(found or wanted), "Statement": [*others, statement]}
        yield _mended(look, "policy", f"Bucket {look.name} lets requests through without TLS.", value)


def _denies_plain(one: Any, wanted: Any) -> bool:
    """Whether a statement refuses whatever comes without TLS, for everybody, everything and all of the bucket."""
    if one.get("Effect") != "Deny" or set(one) - {*wanted}:
        return False
    everything = one.get("Resource") == "*" or set(wanted["Resource"]) <= set(_texts(one.get("Resource")))
    return (
        everything
        and one.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        and one.get("Action") in ("s3:*", "*", ["s3:*"], ["*"])
        and one.get("Condition") in [{"Bool": {"aws:SecureTransport": value}} for value in ("false", ["false"], False)]
    )


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _life_cycle(look: BucketLook, found: Any, wanted: Any) -> Iterator[Check]:
    rules = [rule for rule in found or [] if rule.get("Status") == "Enabled"]
    for rule in rules:
        if any(_meets(_prefix(rule), f"{prefix}signed/") for prefix in look.prefixes):
            yield from _takes_away(look, rule)
    lacking = [one for one in wanted if not any(_serves(rule, one) for rule in rules)]
    crowded = [f"{prefix}unsigned/" for prefix in look.prefixes if prefix in look.crowded]
    if not lacking:
        yield _ok(look, "life cycle", "Unsigned zips and unfinished uploads are removed in time.")
    elif _may_grow(found, lacking) and not any(_prefix(one) in crowded for one in lacking):
        says = f"Bucket {look.name} has no life cycle rule {', '.join(one['ID'] for one in lacking)}."
        yield _mended(look, "life cycle", says, [*(found or []), *lacking])
    else:
        says = f"Bucket {look.name} has no life cycle rule {', '.join(one['ID'] for one in lacking)}, and none is added to what is there."
        yield Check(targets=look.targets, about="life cycle", state=State.NOTE, says=says, remedy="Add it yourself if you want it.")


def _takes_away(look: BucketLook, rule: Any) -> Iterator[Check]:
    """What a rule does to signed zips that a roll-back would miss. Signer writes them without tags, so a rule for a tag is not theirs."""
    where = rule.get("Filter", {})
    if "Tag" in where or "Tags" in where.get("And", {}):
        return
    named = f"Life cycle rule {rule.get('ID', '')!r} of bucket {look.name}"
    remedy = "Take the folder signed/ out of that rule."
    if _removes(rule):
        yield _left(look, "life cycle", f"{named} removes what is signed, and a roll-back needs it.", remedy)
    moves = [*rule.get("Transitions", []), *rule.get("NoncurrentVersionTransitions", [])]
    if frozen := sorted({one.get("StorageClass", "") for one in moves} & _FROZEN):
        yield _left(look, "life cycle", f"{named} moves what is signed to {', '.join(frozen)}, where Lambda cannot read it.", remedy)


def _serves(rule: Any, wanted: Any) -> bool:
    """Whether an enabled rule does what a rule of ours would do, in its own time."""
    if "Expiration" in wanted:
        return _removes(rule) and _prefix(rule) == _prefix(wanted)
    return "AbortIncompleteMultipartUpload" in rule and not _prefix(rule)


def _may_grow(found: Any, lacking: Any) -> bool:
    """Whether rules of ours may stand beside those that are there: all of these are ours, switched on, and named otherwise."""
    ours = all(rule.get("Status") == "Enabled" and str(rule.get("ID", "")).startswith("shipsafe-") for rule in found or [])
    return ours and not {rule.get("ID") for rule in found or []} & {one["ID"] for one in lacking}


def _prefix(rule: Any) -> str:
    """What keys a rule is for begin with, at least."""
    where = rule.get("Filter", {})
    return str(rule.get("Prefix") or where.get("Prefix") or where.get("And", {}).get("Prefix") or "")


def _removes(rule: Any) -> bool:
    expiration = rule.get("Expiration", {})
    return "Days" in expiration or "Date" in expiration or "NoncurrentVersionExpiration" in rule


def _meets(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


_COMPARED: dict[str, Callable[[BucketLook, Any, Any], Iterator[Check]]] = {
    "versioning": _versioning,
    "public access": _public,
    "ownership": _ownership,
    "encryption": _encryption,
    "policy": _policy,
    "life cycle": _life_cycle,
}
