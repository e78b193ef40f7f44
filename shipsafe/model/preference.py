"""How a template has its functions called and its aliases moved: SAM's `DeploymentPreference`, or CodeDeploy of an alias.

What the policy says of a function counts; what it leaves open is what the template says (`filled`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shipsafe.model.deployment import CodeDeployGroup, FunctionDeploy, Rollout, Strategy

FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)  # Lambda CreateFunction
ALIAS_NAME = re.compile(r"(?!\d+$)[A-Za-z0-9_-]{1,128}", re.ASCII)  # Lambda CreateAlias
# https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html
_TYPE = re.compile(
    r"(?:CodeDeployDefault\.Lambda)?"
    r"(?:AllAtOnce|(?P<rollout>Canary|Linear)(?P<percent>[1-9][0-9]?)Percent(?:Every)?(?P<minutes>[1-9][0-9]{0,2})Minutes?)",
    re.ASCII,
)
# "Predefined deployment configurations for an AWS Lambda compute platform"
_CONFIGURATIONS = (
    "CodeDeployDefault.LambdaAllAtOnce",
    *(f"CodeDeployDefault.LambdaCanary10Percent{minutes}Minutes" for minutes in (5, 10, 15, 30)),
    *(f"CodeDeployDefault.LambdaLinear10PercentEvery{minutes}Minute{'' if minutes == 1 else 's'}" for minutes in (1, 2, 3, 10)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How a template has the calls of an alias moved to a new version.

    Attributes:
        strategy: how they move.
        alarms: names of the CloudWatch alarms that stop it.
        before_hook, after_hook: names of the functions that CodeDeploy calls before and after, None where there is none.
        codedeploy: the application and group, where both names are written: CloudFormation makes up those of SAM.
    """

    strategy: Strategy = field(default_factory=Strategy)
    alarms: tuple[str, ...] = ()
    before_hook: str | None = None
    after_hook: str | None = None
    codedeploy: CodeDeployGroup | None = None

    def as_json(self) -> dict[str, Any]:
        """As the release manifest has it; `every` in seconds."""
        return {
            "rollout": str(self.strategy.rollout),
            "percent": self.strategy.percent,
            "every": int(self.strategy.every.total_seconds()),
            "alarms": list(self.alarms),
            "before_hook": self.before_hook,
            "after_hook": self.after_hook,
            "codedeploy": {"application": self.codedeploy.application, "group": self.codedeploy.group} if self.codedeploy else None,
        }


def preference_of(entry: Mapping[str, Any]) -> Preference:
    """`Preference.as_json`, read back; the caller has looked at its shape."""
    group = entry["codedeploy"]
    return Preference(
        strategy=Strategy(rollout=Rollout(entry["rollout"]), percent=entry["percent"], every=timedelta(seconds=entry["every"])),
        alarms=tuple(entry["alarms"]),
        before_hook=entry["before_hook"],
        after_hook=entry["after_hook"],
        codedeploy=CodeDeployGroup(application=group["application"], group=group["group"]) if group else None,
    )


def strategy_of(name: str) -> Strategy | None:
    """What the name of a deployment configuration says, None for one that somebody made.

    >>> strategy_of("Canary10Percent5Minutes")
    Strategy(rollout=<Rollout.CANARY: 'canary'>, percent=10, every=datetime.timedelta(seconds=300))
    >>> strategy_of("CodeDeployDefault.LambdaAllAtOnce")
    Strategy(rollout=<Rollout.ALL_AT_ONCE: 'all-at-once'>, percent=10, every=datetime.timedelta(seconds=300))
    """
    found = _TYPE.fullmatch(name)
    if found is None:
        return None
    if found["rollout"] is None:
        return Strategy()
    return Strategy(
        rollout=Rollout(found["rollout"].lower()), percent=int(found["percent"]), every=timedelta(minutes=int(found["minutes"]))
    )


def configuration_of(strategy: Strategy) -> str | None:
    """The deployment configuration of AWS's own that moves calls in that way, None where there is none.

    >>> configuration_of(Strategy(rollout=Rollout.LINEAR, every=timedelta(minutes=1)))
    'CodeDeployDefault.LambdaLinear10PercentEvery1Minute'
    """
    if strategy.rollout is Rollout.ALL_AT_ONCE:
        return _CONFIGURATIONS[0]
    return next((name for name in _CONFIGURATIONS if strategy_of(name) == strategy), None)


def filled(policy: FunctionDeploy, *, function_name: str | None, alias: str | None, preference: Preference | None) -> FunctionDeploy:
    """How a function goes live: as the policy says, and where it says nothing, as the template does. Alarms of both are watched."""
    told = replace(policy, name=policy.name or function_name, alias=policy.alias or alias)
    if preference is None:
        return told
    return replace(
        told,
        strategy=told.strategy if told.strategy_stated else preference.strategy,
        alarms=tuple(dict.fromkeys((*told.alarms, *preference.alarms))),
        codedeploy=told.codedeploy or preference.codedeploy,
    )
