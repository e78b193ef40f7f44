"""`deploy --create`: a function that is not there gets a role and a code-signing configuration with its code, or is not made."""

from shipsafe.adapters.aws.code_signing import ENFORCE, list_configurations
from shipsafe.deploy.plan import FunctionPlan
from shipsafe.deploy.wanted import Wanted
from shipsafe.errors import ConfigError
from shipsafe.flows.deploy_case import Deploying
from shipsafe.verify.enforcement import wanted_configuration
from shipsafe.verify.signed_code import Site


def creation(case: Deploying, site: Site, one: Wanted, layers: tuple[str, ...]) -> FunctionPlan:
    """The plan of a function that is not there.

    Args:
        case: whether it may be made, and with which role.
        site: where.
        one: what it is to be.
        layers: ARNs that it is to have.

    Raises:
        ConfigError: it is not to be made, or nobody says with which role, runtime, handler or configuration.
        IncompleteError: Lambda refused or gave no answer.
    """
    if not case.request.create:
        raise _missing(case, site, one)
    role, told = one.how.role or case.request.role, one.artifact.told
    if role is None:
        remedy = f'Name one: --role ARN, or [[deploy.function]] function = "{one.artifact.name}", role = "...".'
        raise ConfigError(f"Nobody says with which role {one.name} is to run.", remedy=remedy)
    if not told.runtimes or not told.handler:
        what = f"The release does not say on which runtime {one.name} is to run, or its handler."
        raise ConfigError(what, remedy="Build it from a template, or give [[functions]] a `runtime` and a `handler`.")
    return FunctionPlan(wanted=one, live=None, layers=layers, code=True, shift=bool(one.alias), role=role,
                        configuration=_configuration(case, site, one))  # fmt: skip


def _configuration(case: Deploying, site: Site, one: Wanted) -> str:
    """The configuration that the policy names, else one that enforces and allows who signed it.

    Raises:
        ConfigError: there is none.
        IncompleteError: Lambda refused or gave no answer.
    """
    aws = site.looks.aws
    named = wanted_configuration(site.trusted, one.signed.target) or case.policy.enforce.configuration
    if named is not None and f":{aws.region}:{aws.account}:" in named:
        return named
    site.looks.pace.turn()
    fitting = [
        found
        for found in list_configurations(aws)
        if found.policy == ENFORCE
        and one.signed.profile_version in found.publishers
        and not any(map(site.trusted.why_not, found.publishers))
    ]
    if not fitting:
        what = f"No code-signing configuration of account {aws.account}, {aws.region} enforces and allows who signed {one.artifact.name}."
        remedy = (
            "`shipsafe bootstrap` makes one, `shipsafe enforce` lets the policy's profiles into one; or name it: [enforce] configuration."
        )
        raise ConfigError(what, remedy=remedy)
    return min(fitting, key=lambda found: (not found.description.startswith("shipsafe"), found.arn)).arn


def _missing(case: Deploying, site: Site, one: Wanted) -> ConfigError:
    where = f"account {site.looks.aws.account}, {site.looks.aws.region}"
    stack = " Where a stack makes it, hand it over: --via." if case.release.document["template"] else ""
    stages = [f"--stage {stage.name}" for stage in case.policy.deploy.stages if stage.stack and stage.target == one.signed.target]
    if stages:
        what = f"There is no function {one.name} in {where}; a stack of the policy is to have it."
        return ConfigError(what, remedy=f"Let CloudFormation change that: {' or '.join(stages)}.")
    if not one.named:
        return ConfigError(
            f"Nobody says what {one.artifact.name} is called, and there is no function of that very name in {where}.",
            remedy=f'Write [[deploy.function]] function = "{one.artifact.name}", name = "..." into the policy, or make it with --create.'
            + stack,
        )
    return ConfigError(f"There is no function {one.name} in {where}.", remedy=f"Make it with --create, or correct its name.{stack}")
