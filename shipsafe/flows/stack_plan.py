"""What `deploy --stage` would do to a stack: how its functions stand, whether they may be changed, and the change set that would do it.

with stack_plan(case, asked, stage, say) as plan:    # the change set is there, and goes away again unless it is begun
    plan.verification, plan.lines
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipsafe.adapters.aws.change_sets import Change
from shipsafe.adapters.aws.looks import open_looks
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.stack_looks import Stack, find_stack, last_event
from shipsafe.errors import ExitCode, ShipsafeError
from shipsafe.flows.deploy_case import Deploying, Say
from shipsafe.flows.deploy_checks import configuration_link, stopped_link
from shipsafe.flows.guarded_target import guarded
from shipsafe.flows.landed import Standing, look_around
from shipsafe.flows.stack_proposal import Proposal
from shipsafe.flows.stack_request import StackRequest, requested
from shipsafe.flows.targets import once_a_place, place_of
from shipsafe.flows.via import ViaRequest
from shipsafe.model.chain import Chain, Link, Verification
from shipsafe.model.deployment import Stage
from shipsafe.model.enforcement import Enforcing
from shipsafe.model.signing import SignTarget
from shipsafe.verify.links import broken, not_asked, of_error
from shipsafe.verify.live_links import CONFIGURATION

_MAKING = timedelta(minutes=10)  # for CloudFormation to work a change set out
_ACTIONS = {"Add": "adds", "Modify": "changes", "Remove": "REMOVES", "Import": "imports"}
_REPLACES = {"True": " (REPLACES it)", "Conditional": " (may REPLACE it)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """What is to be done at one stack.

    Attributes:
        case: the release. stack: as it was seen, None where there is none.
        request: what CloudFormation is asked for. proposal: the change set.
        standing: how each function stands. verification: whether it may be deployed.
        began: UTC.
    """

    case: Deploying
    stack: Stack | None
    request: StackRequest
    proposal: Proposal
    standing: tuple[Standing, ...]
    verification: Verification
    began: datetime

    @property
    def aws(self) -> Aws:
        """The account and Region."""
        return self.proposal.work.aws

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed by us."""
        change_set = self.proposal.change_set
        return change_set is not None and not change_set.empty and not self.proposal.going_on

    @property
    def lines(self) -> Iterator[str]:
        """The plan, as a person reads it."""
        wanted, change_set = self.request.wanted, self.proposal.change_set
        if self.case.verify.override:
            yield self.case.verify.override.sentence
            yield from self.case.verify.override.lines
        yield f"target {self.case.targets[0].name}: account {self.aws.account}, {self.aws.region}, as {self.aws.caller}"
        if change_set is None:
            return
        by = f", as {wanted.role}" if wanted.role else f", as {self.stack.role}" if self.stack and self.stack.role else ""
        if self.proposal.going_on:
            yield f"stack {wanted.stack}: CloudFormation is at it with this release already ({change_set.name}); it is waited for"
        elif change_set.empty:
            yield f"stack {wanted.stack}: nothing to change, CloudFormation says"
        else:
            yield f"stack {wanted.stack}: {'created' if wanted.new else 'changed'} by change set {change_set.name}{by}"
            yield from (f"  {line}" for line in self.request.told)
            yield f"  {', '.join(wanted.capabilities) or 'no capability'} acknowledged"
            yield from (f"  {change_line(one)}" for one in change_set.changes)
        yield from self.request.handing.rewritten.remarks
        for one in self.standing:
            told = one.link.sentence if one.name or one.error else "not in the stack yet"
            yield f"function {one.called or one.wanted.artifact.name}: {told}"


def change_line(one: Change) -> str:
    """What becomes of one resource, as a person reads it."""
    if one.action == "Remove" and one.retained:
        return f"lets go of {one.kind} {one.logical_id}, which stays"
    scope = f": {', '.join(one.scope)}" if one.scope else ""
    return f"{_ACTIONS.get(one.action, one.action)} {one.kind} {one.logical_id}{scope}{_REPLACES.get(one.replacement, '')}"


@contextmanager
def stack_plan(case: Deploying, asked: ViaRequest, stage: Stage, say: Say, *, dry_run: bool = False) -> Generator[StackPlan]:
    """Look at the stack and at every function, and let CloudFormation work out a change set, unless something does not hold.

    Leaving it deletes the change set that was made, unless it was begun.

    Args:
        case: a release, held and verified.
        asked: template and parameters; `look`: nothing is to be changed, only verified.
        stage: names the stack.
        say: takes remarks for people.
        dry_run: nobody is going to carry it out.

    Raises:
        ConfigError, IntegrityError: as `requested` and `Proposal.prepare`.
        IncompleteError: the stack cannot be changed now, or CloudFormation refused or gave no answer.
    """
    case = replace(case, connect=once_a_place(case.connect))
    aws = case.connect(place_of(case.targets[0]))
    work = case.work(open_looks(aws, case.clock, case.sleep), say=say, until=case.now() + _MAKING)
    name = str(stage.stack)
    stack = work.again(lambda: find_stack(aws, name))
    there = stack if stack and not stack.empty else None
    event = work.again(lambda: last_event(aws, name)) if there else None
    state = f"{there.id} {there.changed} {event.id if event else ''}" if there else ""
    request = requested(case, asked, stage, stack, state=state, look=dry_run)
    if any(
        one.is_function and one.is_zip and one.configuration == "" for one in request.sent.coded
    ):  # neither policy nor template names one
        case = replace(case, targets=(_guarded(case, aws),))
        request = requested(case, asked, stage, stack, state=state, look=dry_run)
    standing = look_around(case, request.handing, name if there else None, sure=True)
    verification = replace(case.verified, chains=(*case.verified.chains, *(_chain(case, request, one) for one in standing)))
    proposal = Proposal(request=request, work=work)
    try:
        if verification.exit_code is ExitCode.PASS and not asked.look:
            proposal.prepare(there, event)
        yield StackPlan(case=case, stack=stack, request=request, proposal=proposal, standing=standing, verification=verification,
                        began=case.now())  # fmt: skip
    finally:
        proposal.clean(say)


def _guarded(case: Deploying, aws: Aws) -> SignTarget:
    """The target with the configuration that [enforce] names for this place, else with the one that `bootstrap` made."""
    target, named = case.targets[0], case.policy.enforce.configuration
    here = f":{aws.region}:{aws.account}:"
    return replace(target, code_signing_config=named) if named and here in named else guarded(target, aws)


def _chain(case: Deploying, request: StackRequest, one: Standing) -> Chain:
    """Whether a function may be changed: what was signed for it holds, nobody has stopped it, and what it gets keeps others out."""
    called = one.name or one.wanted.artifact.name
    return replace(one.chain, links=(*one.chain.links, stopped_link(called, stopped=one.stopped), _guard(case, request, one, called)))


def _guard(case: Deploying, request: StackRequest, one: Standing, called: str) -> Link:
    """The configuration that keeps unsigned code out: the target's, else the one that is attached, or the template's own."""
    looks, logical_id = one.site.looks, request.logical_ids[one.wanted.artifact.subject]
    [written] = [each.configuration for each in request.sent.coded if each.logical_id == logical_id]
    if written is None:
        return not_asked(CONFIGURATION, "The template makes the code-signing configuration itself; what runs is verified under it.")
    try:
        arn = written or (looks.attached(called) if one.running else None)
        mode = case.policy.enforce.mode_of(called, one.aws.account, lambda: looks.tags(called) if one.running else {})
    except ShipsafeError as error:
        return of_error(CONFIGURATION, error)
    if arn is None:
        sentence = f"Function {called} would have no code-signing configuration: Lambda would take any code for it."
        remedy = "`shipsafe bootstrap` makes one; name it as `code-signing-config` of the target, or in the template."
        return broken(CONFIGURATION, sentence, expected="one that enforces", found="none", remedy=remedy)
    return configuration_link(one.site, one.wanted, called, arn, soft=mode is Enforcing.WARN)
