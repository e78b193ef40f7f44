"""Whether an override lets a zip through: it is the one that the gates' statement names, about these bytes, and used in its time.

What somebody answered for is shown until a clean release takes its place: of the same bytes, too, once all gates have passed them.
"""

from datetime import datetime

from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.evidence.override_record import CLOCKS, read_override, vouched_override
from shipsafe.evidence.recorded import recorded
from shipsafe.model.attestation import Vouched
from shipsafe.model.override import Override
from shipsafe.model.policy import Policy
from shipsafe.model.signing import ProfileVersion
from shipsafe.verify.proof import Proof

_REMEDY = "Find out who released it, and release it clean."


def named_override(proof: Proof, statement: str, policy: Policy, shown: str) -> Override:
    """The override that a statement of gates names, where it lets this zip through.

    Args:
        proof: of the zip.
        statement: hex SHA-256 of the override's payload, as the gates' statement has it.
        policy: whose word counts, and in which terms.
        shown: where the evidence lies, for people.

    Raises:
        IntegrityError: it is not there, not of whom the policy trusts, not about this zip, or the zip was signed in another time.
        IncompleteError: a keyless signature could not be looked at.
    """
    found = _found(proof, statement, shown)
    if found is None:
        what = "Its gates did not let it pass, and no override that counts lets it through."
        raise IntegrityError(what, remedy=_REMEDY, path=shown)
    override = vouched_override(found.envelope, policy, shown=shown)
    for moment in _signed(proof, shown):
        if not override.at - CLOCKS <= moment < override.until:
            what = f"It was signed at {moment:%Y-%m-%d %H:%M} UTC, and the override holds from {override.at:%Y-%m-%d %H:%M}"
            what = f"{what} until {override.until:%Y-%m-%d %H:%M}."
            raise IntegrityError(what, remedy=_REMEDY, path=shown)
    return override


def _found(proof: Proof, statement: str, shown: str) -> Vouched | None:
    """The override of that digest, about this zip."""
    for one in proof.overrides:
        try:
            said = read_override(one.statement, shown=shown)
        except ShipsafeError:  # another one, which says nothing
            continue
        if said.statement == statement and proof.unsigned_sha256 in said.subjects:
            return one
    return None


def _signed(proof: Proof, shown: str) -> list[datetime]:
    """When the zip that was asked about was signed; nothing of an unsigned one."""
    return [recorded(proof.signing.statement, shown=shown).signed_at] if proof.signing else []


def replaced(proof: Proof, shown: str) -> list[str]:
    """What to tell of overrides of bytes that have passed since."""
    told = []
    for one in proof.overrides:
        try:
            said = read_override(one.statement, shown=shown)
        except ShipsafeError:  # it let nothing through, and does not now
            continue
        told.append(f"An override of {said.at:%Y-%m-%d} let these bytes through ({said.reason}); they have passed their gates since.")
    return told


def signed_for_emergencies(proof: Proof, policy: Policy, shown: str) -> bool:
    """Whether the zip has the signature of the profile that the policy keeps for what an override lets through."""
    if proof.signing is None or policy.break_glass.profile is None:
        return False
    version = ProfileVersion.parse(recorded(proof.signing.statement, shown=shown).profile_version)
    return version.name == policy.break_glass.profile and all(one.profile != version.name for one in policy.sign.targets)
