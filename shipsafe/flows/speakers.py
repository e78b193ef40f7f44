"""Whether what these keys sign will be taken under the policy: better said before anything is done than when it is verified."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from shipsafe.errors import ConfigError
from shipsafe.evidence.appending import trust_in
from shipsafe.model.attestation import Role
from shipsafe.model.policy import Policy

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_DOES = {Role.SIGNER: "signing", Role.DEPLOYER: "deploying", Role.OVERRIDER: "an override"}


def check_speakers(signers: "Sequence[Signer]", policy: Policy, role: Role, today: date) -> None:
    """Hold the keys that are given against those that the policy trusts in a role.

    Args:
        signers: whose keys are to sign; none where nothing is signed.
        policy: says whose word counts.
        role: as whom they are to speak.
        today: the day of signing, UTC.

    Raises:
        ConfigError: what they sign will not be taken.
    """
    trusted = policy.attest
    if not signers:
        if not trusted.unsigned_allowed:
            raise ConfigError('The policy takes no evidence that nobody signed ([attest] unsigned = "refuse").',
                              remedy=f"Name the {role}'s key: --key FILE, or --key awskms:ARN.", path=policy.path)  # fmt: skip
        if trusted.trusts_anybody(role):
            raise ConfigError(f"The policy trusts {role.named}'s key, and takes no evidence of {_DOES[role]} without it.",
                              remedy="Name that key: --key FILE, or --key awskms:ARN.", path=policy.path)  # fmt: skip
        return
    if not trusted.trusts_anybody(role):
        if not trusted.unsigned_allowed:
            raise ConfigError(f"The policy takes no evidence that nobody vouches for, and trusts no key of {role.named}.",
                              remedy=f"Add it: `shipsafe keys show --for {role} KEY` prints the table.", path=policy.path)  # fmt: skip
        return
    own = trust_in(signers, role)
    known = {
        one.spki
        for one in trusted.keys
        if role in one.roles and (one.begins or today) <= today <= (one.ends or today)
    }  # fmt: skip
    people = {one.who for one in trusted.identities if role in one.roles}
    fitting = sum(one.spki in known for one in own.keys) + sum(one.who in people for one in own.identities)
    needed = trusted.thresholds.get(role, 1)
    if fitting < needed:
        what = f"{fitting} of the keys given may speak as {role.named} today, and the policy wants {needed}."
        raise ConfigError(what, remedy=f'Name another with --key, or add it to `[[attest.key]]`, for = ["{role}"].', path=policy.path)
