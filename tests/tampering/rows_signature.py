"""Kinds of tampering with AWS's signature inside a zip, where our own signing record vouches for the very bytes.

Whoever could write such a record has the signer's key; what is left is what the signature itself proves.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shipsafe.local.pki import open_root
from tests.local_endpoint import ACCOUNT, REGION
from tests.tampering.signatures import Forger, written
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words

AWS = Group("AWS's signature in the zip")
DAY = timedelta(days=1)
THEIRS = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/theirs/AbCdE12345"
OTHER_JOB = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/00000000-0000-4000-8000-000000000000"


def _forged(kind: str, done: str, forge: Callable[[Trial, Forger], Forger], code: int = 5) -> None:
    def act(trial: Trial) -> Words:
        genuine = Forger(root=trial.world.endpoint.root, profile_version=trial.world.profile_version, job=trial.job, signed_at=_now())
        forger = forge(trial, genuine)
        signed = forger.sign((trial.dist / "Pay.zip").read_bytes())
        told = {"profileVersion": forger.profile_version, "signedAt": written(forger.at), "expires": written(forger.until)}
        trial.record(signed, **told)
        return "verify", trial.save(signed), "--release", "dist"

    act.__doc__ = done
    AWS(kind, code)(act)


def _now() -> datetime:
    return datetime.now(UTC)


_forged("nothing is changed", "Signed again as Signer would, under the same job.", lambda _, forger: forger, 0)
_forged("a chain that was cut", "The root is not in the signature.", lambda _, forger: replace(forger, length=3))
_forged("a leaf alone", "Only the certificate that signed is in it.", lambda _, forger: replace(forger, length=1))
_forged("a foreign root", "A root of somebody's own, which nobody lists.",
        lambda trial, forger: replace(forger, root=open_root(trial.root / "foreign")))  # fmt: skip
_forged("a leaf that was not valid yet", "The certificate begins ten days after the signing time.",
        lambda _, forger: replace(forger, signed_at=_now() - 10 * DAY, leaf_begins=_now()))  # fmt: skip
_forged("a leaf that was not valid any more", "The certificate ended a week before the signing time.",
        lambda _, forger: replace(forger, leaf_begins=_now() - 10 * DAY))  # fmt: skip
_forged("an expired signature", "The signature itself expired yesterday.",
        lambda _, forger: replace(forger, signed_at=_now() - 400 * DAY, expires=_now() - DAY))  # fmt: skip
_forged("another profile", "The signature is by a profile that the policy does not name.",
        lambda _, forger: replace(forger, profile_version=THEIRS))  # fmt: skip
_forged("another account", "The signature is by a profile of that name in another account.",
        lambda trial, forger: replace(forger, profile_version=trial.world.profile_version.replace(ACCOUNT, "999988887777")))  # fmt: skip
_forged("another job", "The signature is of another job than the signing record says.",
        lambda _, forger: replace(forger, job=OTHER_JOB))  # fmt: skip
_forged("a clock that is a day ahead", "Whoever signed had a clock that is a day ahead.",
        lambda _, forger: replace(forger, signed_at=_now() + DAY), 0)  # fmt: skip
_forged("a clock that is a year ahead", "Whoever signed had a clock that is a year ahead.",
        lambda _, forger: replace(forger, signed_at=_now() + 365 * DAY), 4)  # fmt: skip


@AWS("the local root, taken for AWS's", 5)
def _(trial: Trial) -> Words:
    """The zip is signed by the local endpoint, and nobody says that its root counts here."""
    trial.away_from_local()
    return "verify", trial.save(trial.world.signed["Pay"]), "--release", "dist"
