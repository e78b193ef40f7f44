"""The code-signing configuration that functions of a stack get where neither the policy nor their template names one.

It is the one that `bootstrap` made for the signing profile, so that what a pipeline deploys is guarded from its first release on, without
a line that somebody copies from one account into the policy.
"""

from dataclasses import replace

from shipsafe.adapters.aws.code_signing import ENFORCE, list_configurations
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import find_profile
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.configurations import chosen
from shipsafe.signing.setup.look import ConfigurationLook, ProfileLook


def guarded(target: SignTarget, aws: Aws) -> SignTarget:
    """The target with that configuration; as it is where there is none that enforces.

    Raises:
        IncompleteError: AWS refused or gave no answer.
    """
    owner = target.profile_owner if target.profile_owner != aws.account else None
    there = find_profile(aws, target.profile, owner)
    profile = ProfileLook(targets=(target.name,), aws=aws, name=target.profile, owner=owner, pins=frozenset(), profile=there)
    found = chosen(ConfigurationLook(targets=(target.name,), profile=profile, pinned=None, found=list_configurations(aws)))
    return replace(target, code_signing_config=found.arn) if found and found.policy == ENFORCE else target
