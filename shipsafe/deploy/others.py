"""What others have to do with a function that is to be deployed: one that has begun meanwhile, and one that was left half-way."""

from shipsafe.deploy import codedeploy
from shipsafe.deploy import marks as tags
from shipsafe.deploy.look import Live
from shipsafe.deploy.marks import Marks
from shipsafe.deploy.patience import FinalError
from shipsafe.deploy.plan import FunctionPlan
from shipsafe.deploy.restore import restore
from shipsafe.deploy.shifting import Shifting
from shipsafe.deploy.work import Work


def check_alone(work: Work, plan: FunctionPlan, live: Live) -> None:
    """Whether nobody has begun another deployment since this one was planned: of two at once the first wins.

    Raises:
        IncompleteError: somebody has, or the tags could not be read.
    """
    function = work.aws.function_arn(plan.name)
    seen = tags.of_tags(function, live.whole.tags)
    now = work.again(lambda: tags.read(work.aws, function, work.hands.pace))
    if now != seen and now is not None:
        when = f"{now.began:%Y-%m-%d %H:%M} UTC, {now.phase}"
        what = f"Another deployment of {plan.name} has begun since this one was planned ({when})."
        raise FinalError(what, remedy="Wait until it has ended, then run this again: it looks and plans anew.")


def take_back(work: Work, plan: FunctionPlan, earlier: Marks) -> tuple[str, ...]:
    """Take back what a deployment of another release has left half-way; gives what a report should say of that.

    Raises:
        ShipsafeError: it could not be taken back.
    """
    to = Shifting(aws=work.aws, function=work.aws.function_arn(plan.name), marks=earlier, version=earlier.version)
    if plan.by is not None:
        codedeploy.halt(to, work.hands, plan.by.group)
    out = restore(to, work.hands, f"A deployment of {earlier.began:%Y-%m-%d %H:%M} UTC was not ended.")
    if out.error is not None:
        raise out.error
    return out.notes
