"""Whether a roll-out can be watched from its beginning to its end: asked before anything is changed, as a link of the chain."""

from shipsafe.adapters.aws.functions import LATEST
from shipsafe.adapters.aws.looks import Looks
from shipsafe.deploy.alarms import preflight
from shipsafe.deploy.plan import FunctionPlan
from shipsafe.deploy.rollout import check_time, planned_time
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.model.chain import Link
from shipsafe.verify.links import held, not_asked, of_error, unanswered
from shipsafe.verify.request import VerifyRequest

WATCHED = "watch"


def watched_link(looks: Looks, plan: FunctionPlan, request: VerifyRequest) -> Link:
    """The link `watch` of a function: its alarms are there and quiet, metrics may be read, and the deadline is far enough.

    Raises:
        ConfigError: the roll-out cannot end before its deadline, nothing watches its steps, or there is no such alarm.
    """
    how = plan.wanted.how
    if not plan.wanted.alias or plan.empty:
        return not_asked(WATCHED, "No calls of an alias are moved.")
    if how.codedeploy is not None:
        return not_asked(WATCHED, "CodeDeploy moves the calls, and watches the alarms of its deployment group.")
    there = plan.live.alias(plan.wanted.alias) if plan.live else None
    if there is not None and there.version == LATEST:
        called = f"--function-name {plan.name}"
        return unanswered(
            WATCHED, f"Alias {there.name} of function {plan.name} leads to $LATEST, which this deployment changes: there is no way back.",
            remedy=f"Lead it to a version first: aws lambda publish-version {called}, then "
            f"aws lambda update-alias {called} --name {there.name} --function-version VERSION",
        )  # fmt: skip
    if planned_time(how.strategy) and not (how.alarms or how.default_alarm):
        what = f"Function {plan.name} goes live in steps, and nothing watches them: that proves nothing."
        raise ConfigError(what, remedy='Name `alarms`, leave `default-alarm` on, or write rollout = "all-at-once".')
    check_time(how.strategy, request.policy.deploy.deadline)
    looks.metrics.turn()
    try:
        preflight(looks.aws, how, name=plan.name, alias=plan.wanted.alias, now=request.now)
    except ConfigError:
        raise
    except ShipsafeError as error:
        return of_error(WATCHED, error)
    default = "errors and throttles of the new version" if how.default_alarm else "nothing by default"
    number = len(how.alarms)
    return held(
        WATCHED, f"CloudWatch can be asked: {default}, and {number} alarm{'' if number == 1 else 's'} of the policy, none in ALARM."
    )
