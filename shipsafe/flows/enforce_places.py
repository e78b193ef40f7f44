"""Where code-signing configurations are looked at: accounts and Regions of targets and stages, and who signs for each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.flows.targets import once_a_place, place_of, targets_of
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget


def places(policy: Policy, chosen: Sequence[str], connect: Callable[[Place], Aws]) -> Iterator[tuple[Aws, list[SignTarget]]]:
    """Each account and Region once, with the targets that sign for it: their own, and those of stages that are elsewhere."""
    targets = targets_of(policy, chosen)
    wanted = [(place_of(one), one) for one in targets]
    for stage in policy.deploy.stages:
        target = next((one for one in targets if one.name == stage.target), None)
        if target is not None and (stage.account, stage.region, stage.role) != (None, None, None):
            there = replace(target, account=stage.account or target.account, region=stage.region or target.region,
                            profile_owner=target.profile_owner or target.account)  # fmt: skip
            wanted.append((replace(place_of(there), role=stage.role or target.role), there))
    found: dict[tuple[str, str], tuple[Aws, list[SignTarget]]] = {}
    opened = once_a_place(connect)
    for place, target in wanted:
        aws = opened(place)
        found.setdefault((aws.account, aws.region), (aws, []))[1].append(target)
    yield from found.values()


def signing_at(aws: Aws, policy: Policy, targets: Sequence[SignTarget]) -> list[SignTarget]:
    """Who signs for a place: the targets that are meant, and with them all others that share its configuration.

    A configuration lets in whoever signs for its functions, whichever target somebody chose to look at. Where targets name configurations,
    each has its own.
    """
    meant = {one.name for one in targets}
    there = {place_of(one) for one in targets}
    others = [
        one
        for one in policy.sign.targets
        if one.name not in meant and (place_of(one) in there or (one.account, one.region) == (aws.account, aws.region))
    ]
    if any(one.code_signing_config for one in (*targets, *others)):
        return list(targets)
    order = [one.name for one in policy.sign.targets]
    return sorted((*targets, *others), key=lambda one: order.index(one.name))
