"""`deploy --stage` of a stage that names its stack: one change set, shown and asked about, carried out by CloudFormation, and verified.

    with stack_plan(case, asked, stage, say) as plan:
        done = updated(plan, say)

CloudFormation itself changes the functions, so that its next update finds what it knows of. What is ours: the template has the signed
objects, nobody put another change set in place of ours, and what runs afterwards is what was signed, by Lambda's own word.
"""

from dataclasses import replace
from functools import partial

from shipsafe.adapters.aws.looks import open_looks
from shipsafe.deploy.stack_course import Course, carried_out
from shipsafe.errors import IncompleteError, RolledBackError
from shipsafe.evidence.override_record import check_time
from shipsafe.flows.deploy_case import Say
from shipsafe.flows.interrupts import interrupts
from shipsafe.flows.landed import HandedOver, Standing, deployment_of, landed, look_around, written_down
from shipsafe.flows.stack_plan import StackPlan
from shipsafe.flows.stack_proposal import by_hand, lead_back
from shipsafe.model.chain import Chain
from shipsafe.model.deployment import Deployment, Ending


def updated(plan: StackPlan, say: Say) -> HandedOver:
    """Let CloudFormation carry it out, wait, and verify what runs. What went wrong on the way is in what it gives.

    Args:
        plan: that may be carried out.
        say: told each event.

    Raises:
        IncompleteError: CloudFormation did not begin.
        ShipsafeError: nothing could be verified at all.
    """
    case, proposal, change_set = plan.case, plan.proposal, plan.proposal.change_set
    if case.verify.override is not None:
        check_time(case.verify.override, case.now())  # somebody may have thought about the plan for a day
    if change_set is None or change_set.empty:
        return landed(case, plan.standing, partial(_told, plan, Ending.UNCHANGED))
    with interrupts() as interrupted:
        looks = open_looks(plan.aws, case.clock, case.sleep)
        work = case.work(looks, say=say, until=case.now() + case.deadline, interrupted=interrupted)
        if not proposal.going_on:
            change_set = proposal.begin(change_set, work)
        course = carried_out(work, change_set)
    if course.last is None:
        return _unfinished(plan, course)
    there = plan.request.wanted.stack if course.well or not plan.request.wanted.new else None
    standing = look_around(case, plan.request.handing, there, sure=True)
    return landed(case, standing, partial(_told, plan, Ending.DEPLOYED)) if course.well else _gone_back(plan, course, standing)


def _told(plan: StackPlan, ending: Ending, one: Standing, deployment: Deployment) -> Deployment:
    """What is told of one function: whether it was changed, and what it ran before."""
    before = next((each for each in plan.standing if each.wanted.artifact.name == deployment.artifact), one)
    if not one.landed:
        what, remedy = one.link.sentence, f"Deploy it: shipsafe deploy {plan.case.request.out} --stage {plan.case.request.stage}"
        if plan.proposal.change_set is not None:
            what = f"Stack {plan.request.wanted.stack} is as its template says, and {what}"
            remedy = (
                "Either somebody changed it beside the stack, whose drift CloudFormation then detects; or an AWS::Lambda::Version of the "
                "template has to get another logical id, without which it publishes nothing."
            )
        elif plan.stack is None or plan.stack.empty:
            what = f"There is no stack {plan.request.wanted.stack} yet."
        error = one.error or IncompleteError(what, remedy=remedy)
        return replace(deployment, ending=Ending.UNFINISHED, reason=str(error), error=error)
    version = before.running.version if before.running and before.alias else ""
    if before.landed and version in ("", deployment.version):  # else its settings are new, and stand in a version of their own
        return replace(deployment, ending=Ending.UNCHANGED)
    return replace(deployment, ending=ending, before=version, began=plan.began)


def _unfinished(plan: StackPlan, course: Course) -> HandedOver:
    """CloudFormation goes on, and nobody waits for it."""
    name = plan.request.wanted.stack
    error = IncompleteError(
        f"{course.why} CloudFormation goes on with stack {name}.{f' {course.error}' if course.error else ''}",
        remedy=f"Run this again: it waits on, and verifies. To look: {by_hand('describe-stack-events', name, plan.aws)}",
    )
    told = [(replace(deployment_of(one, reason=str(error), error=error), ending=Ending.UNFINISHED), None) for one in plan.standing]
    return written_down(plan.case, told, (), replace(plan.case.verified, chains=()), {})


def _gone_back(plan: StackPlan, course: Course, standing: tuple[Standing, ...]) -> HandedOver:
    """CloudFormation has rolled the stack back; or it could not."""
    name, status = plan.request.wanted.stack, course.last.status if course.last else ""
    stuck = course.last is not None and course.last.failed
    reason = f"CloudFormation {'could not roll' if stuck else 'rolled'} stack {name} back ({status}). {course.failure}".rstrip()
    remedy = "Mend what failed, then deploy again."
    if plan.request.wanted.new:
        remedy = f"Mend what failed, delete the stack ({by_hand('delete-stack', name, plan.aws)}), then deploy again."
    elif stuck:
        remedy = lead_back(name, plan.aws)
    error = RolledBackError(reason, remedy=remedy)
    now, told = plan.case.now(), list[tuple[Deployment, Chain | None]]()
    for one in standing:
        ending = Ending.UNCHANGED if one.landed else Ending.UNFINISHED if stuck else Ending.ROLLED_BACK
        made = deployment_of(one, reason=str(error), error=error)
        told.append((replace(made, ending=ending, began=plan.began, ended=now), None))
    return written_down(plan.case, told, told, replace(plan.case.verified, chains=()), {})
