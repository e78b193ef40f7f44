"""Whose policy decides what is signed, and whose keys must sign the evidence of it: that of whoever signs, never one of the release."""

from collections.abc import Iterator
from pathlib import Path

from shipsafe.adapters.files import relative
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.errors import ConfigError
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.speakers import check_speakers
from shipsafe.flows.targets import PASTE
from shipsafe.flows.zips import Asked
from shipsafe.model.attestation import Role
from shipsafe.model.policy import Policy
from shipsafe.packing.release import Release
from shipsafe.policy import load
from shipsafe.readers.bundling import listed


def policy_file(request: SignRequest, release: Release) -> Path:
    """The policy that is given, else the one that the release names.

    Raises:
        ConfigError: there is none, it is not here, or it lies in the release.
    """
    path = request.policy or release.policy
    if path is None:
        remedy = f"Write one with a place to sign, and name it with --policy:\n{PASTE}"
        raise ConfigError("The release was built without a policy of its own.", remedy=remedy)
    if request.policy is None and not path.is_file():
        raise ConfigError("The release was built under this policy, and it is not here.", remedy="Name the policy with --policy.",
                          path=str(path))  # fmt: skip
    if request.policy is None and path.resolve().is_relative_to(request.out.resolve()):
        raise ConfigError("The policy that the release names lies in the release, where whoever can change the one can change the other.",
                          remedy="Name the policy with --policy.", path=str(path))  # fmt: skip
    return path


def load_policy(request: SignRequest, root: Path, explicit: Path | None) -> Policy:
    """The policy that holds, of which the keys that are given can sign.

    Raises:
        ConfigError: it cannot be used, or wants other keys.
        IncompleteError, IntegrityError: a policy that it extends cannot be had, or is another one.
    """
    policy = request.amend(load(root, explicit=explicit, offline=request.offline, cache=cache_dir(), fetch=fetch, today=request.today))
    check_speakers(request.signers, policy, Role.SIGNER, request.today)
    return policy


def remarks_on(request: SignRequest, release: Release, policy: Policy, asked: Asked) -> Iterator[str]:
    """What a person should know of the policy and of the builder's word."""
    if request.policy is None and release.policy:
        named = relative(release.policy.resolve(), Path.cwd())
        yield f"The policy is {named}, which the release itself names; --policy names a protected one."
    alone = [one.name for one in release.artifacts if not one.prebuilt and not asked.vouched_by.get(one.subject)]
    if alone and (policy.refuses_prebuilt or policy.proves_prebuilt):
        yield f"The policy takes no unproven builds of other tools, and that shipsafe built {listed(alone)} is the builder's word alone."
    built = release.document["policy"]["digest"]
    if built != policy.digest:
        now = f"{policy.path} as it is now ({policy.digest[:19]}...)"
        yield f"The release was built under another policy ({built[:19]}...), and was asked again under {now}."
