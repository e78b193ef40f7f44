"""Where the roles of a pipeline are: in the account of every target those that build and sign, in that of every stage the others.

A role is for all targets of its account, also for those that are not meant this time: else its rights would change with what is looked at.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.flows.stages import stage_of, target_at
from shipsafe.flows.targets import place_of
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.check import Check, State
from shipsafe.signing.setup.look import Connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A policy that names roles, where it signs and where its releases go live, with sessions; `checks` tell what was not reached."""

    policy: Policy
    signing: tuple[Connected, ...] = ()
    going: tuple[Connected, ...] = ()
    checks: tuple[Check, ...] = ()


def pipeline_of(
    policy: Policy, connected: Sequence[Connected], opened: Callable[[Place], Aws], *, elsewhere: bool = True
) -> Pipeline | None:
    """The places of some targets and of all others in their accounts; None where the policy names no roles.

    Args:
        policy: names roles, targets and stages.
        connected: the targets.
        opened: opens a session.
        elsewhere: whether stages in other accounts are wanted, too.

    Raises:
        ConfigError: a stage is in another Region than its target.
        IncompleteError, IntegrityError: another target of these accounts cannot be reached.
    """
    if policy.pipeline.roles is None:
        return None
    signing = [*connected]
    accounts = {aws.account for _, aws in connected}
    chosen = {target.name for target, _ in connected}
    for target in policy.sign.targets:
        if target.name not in chosen and (target.account is None or target.account in accounts):
            aws = opened(place_of(target))
            signing += [(target, aws)] if aws.account in accounts else []
    going: list[Connected] = []
    checks = []
    for at in going_live(policy, [target.name for target, _ in signing]):
        if not elsewhere and at.account not in (None, *accounts):
            continue
        try:
            going.append((at, opened(place_of(at))))
        except (IncompleteError, IntegrityError) as error:
            remedy = f"With credentials of account {at.account}, `shipsafe bootstrap --stage` makes and checks the roles there."
            checks.append(Check(targets=(at.name,), about="stage", state=State.UNKNOWN, says=error.what, remedy=remedy))
    return Pipeline(policy=policy, signing=tuple(signing), going=tuple(going), checks=tuple(checks))


def stage_alone(policy: Policy, name: str, connect: Callable[[Place], Aws]) -> Pipeline | None:
    """A stage and all others in its account, as `pipeline_of`; what signs is elsewhere.

    Raises:
        ConfigError: there is no such stage, or it is in another Region than its target.
        IncompleteError: there are no credentials.
        IntegrityError: they are another account's.
    """
    if policy.pipeline.roles is None:
        return None
    one = target_at(policy, stage_of(policy, name))
    aws = connect(place_of(one))
    others = [at for at in going_live(policy) if at.account == one.account and at != one]
    return Pipeline(policy=policy, going=((one, aws), *((at, connect(place_of(at))) for at in others)))


def going_live(policy: Policy, names: Collection[str] | None = None) -> list[SignTarget]:
    """Where the releases of some targets (of all, if none are named) go live: each target at its stages, or as it is where it has none.

    Raises:
        ConfigError: a stage is in another Region than its target.
    """
    found: list[SignTarget] = []
    for target in policy.sign.targets:
        if names is None or target.name in names:
            found += [target_at(policy, stage) for stage in policy.deploy.stages if stage.target == target.name] or [target]
    return found
