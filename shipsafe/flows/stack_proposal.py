"""A change set, from the wish for it until it is begun, or gone again.

    proposal = Proposal(request=request, work=work)
    proposal.prepare(stack, last_event(aws, "shop"))    # it is there, and it is what was asked for
    proposal.begin(work)
    proposal.clean(say)                                 # in any case: what was made for nothing goes away

Nothing is made twice: one of that name is the one that somebody asked for before, and what is begun is watched.
"""

from dataclasses import dataclass, replace

from shipsafe.adapters.aws import change_sets
from shipsafe.adapters.aws.change_sets import ChangeSet
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.stack_looks import Stack, StackEvent, last_event
from shipsafe.deploy.stack_course import worked_out
from shipsafe.deploy.work import Work
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.flows.deploy_case import Say
from shipsafe.flows.stack_request import StackRequest
from shipsafe.signing.rewrite.sent import same_template

_LATE = (change_sets.NOT_NOW, change_sets.GONE, "TokenAlreadyExistsException")


@dataclass(slots=True, kw_only=True)
class Proposal:
    """A change set of one stack.

    Attributes:
        request: what is asked for. work: what calls are made with.
        change_set: None before it is prepared; an empty one where the stack is as it should be already.
        going_on: CloudFormation carries it out already, for somebody else or for a run that is gone.
        made: ARN of the change set that was made here and is not begun, "" for none.
    """

    request: StackRequest
    work: Work
    change_set: ChangeSet | None = None
    going_on: bool = False
    made: str = ""

    def prepare(self, there: Stack | None, event: StackEvent | None) -> None:
        """Find the one of this release that is under way, or let one be made.

        Args:
            there: the stack, None where it holds nothing yet.
            event: its last one.

        Raises:
            IncompleteError: the stack cannot be changed now, or CloudFormation refused or gave no answer.
            IntegrityError: the change set is another than was asked for.
        """
        name = self.request.wanted.stack
        if there and there.going_on and event and event.token.startswith(f"{self.request.family}-"):
            self.going_on, self.change_set = True, worked_out(self.work, name, event.token)
            return
        if there and there.going_on:
            what = f"Stack {name} is being changed by somebody else: {there.status}."
            raise IncompleteError(what, remedy="Run this again when that is over.")
        if there and not there.updatable:
            remedy = f"Find out why. One that was never made whole can only be deleted: {by_hand('delete-stack', name, self.work.aws)}"
            if there.status == "UPDATE_ROLLBACK_FAILED":
                remedy = lead_back(name, self.work.aws)
            raise IncompleteError(f"Stack {name} takes no update: it is {there.status}. {there.reason}".rstrip(), remedy=remedy)
        found = self._made()
        if self._is_foreign(found, there):
            self.work.hands.say(f"Change set {found.name} was there before, and is made again.")
            change_sets.delete(self.work.aws, name, found.id)
            found = self._made()
            if self._is_foreign(found, there):
                raise IncompleteError(f"Somebody else makes change sets of stack {name}, too.", remedy="Run this again.")
        if found.failed:
            what = f"CloudFormation could not create change set {found.name} of stack {name}: {found.reason.rstrip('.') or found.status}."
            raise IncompleteError(what, remedy="Correct what it names, then run this again.")
        if not found.empty:
            self._check(found)
        self.change_set, self.going_on = found, found.begun

    def _made(self) -> ChangeSet:
        wanted, work = self.request.wanted, self.work
        try:
            self.made = work.again(lambda: change_sets.create(work.aws, wanted))
        except AwsRefusal as refusal:
            if refusal.code != change_sets.EXISTS:
                raise
        return worked_out(work, wanted.stack, self.made or wanted.name)

    def _is_foreign(self, found: ChangeSet, there: Stack | None) -> bool:
        """Whether one that was there before, and that nobody has begun, is to be made again.

        What could not be made then may be made now. And it may have what was not asked for: another value than the template's default, one
        that is hidden, resources that are taken in, tags, and whom CloudFormation tells and asks.

        Raises:
            IntegrityError: it has what can be compared, and is something else.
        """
        if self.made or found.begun:
            return False
        if found.failed or found.empty:
            return True
        self._check(found)
        request = self.request
        hidden = any(name in found.parameters for name in request.wanted.hidden)
        others = [
            name
            for name, one in request.sent.parameters.items()
            if name not in request.wanted.parameters and found.parameters.get(name) != one.default
        ]
        imports = any(one.action == "Import" for one in found.changes)
        return hidden or bool(others) or imports or found.besides != (there.besides if there else frozenset())

    def _check(self, found: ChangeSet) -> None:
        """Whether it is what was asked for; its name alone says nothing of what is in it.

        Raises:
            IntegrityError: it is another.
        """
        wanted, work = self.request.wanted, self.work
        kept = work.again(lambda: change_sets.template_of(work.aws, wanted.stack, found.id))
        if not same_template(wanted.template, kept, name=self.request.sent.name):
            wrong = "another template"
        elif other := [name for name, value in wanted.shown.items() if found.parameters.get(name) != value]:
            wrong = f"another value of {other[0]}"
        elif set(found.capabilities) != set(wanted.capabilities):
            wrong = "other capabilities"
        else:
            return
        what = f"Change set {found.name} of stack {wanted.stack} has {wrong} than it was to have."
        raise IntegrityError(what, remedy="Find out who made it (CloudTrail: CreateChangeSet), and delete it.")

    def begin(self, change_set: ChangeSet, work: Work) -> ChangeSet:
        """Let CloudFormation carry it out, once, also where an answer is lost; gives what it carries out.

        That is another one where another machine, which deploys the same, was faster.

        Raises:
            IncompleteError: it did not begin.
        """
        try:
            work.again(lambda: change_sets.execute(work.aws, change_set))
        except ShipsafeError as error:
            now = work.again(lambda: change_sets.find_change_set(work.aws, change_set.stack, change_set.id))
            if now is None or not now.begun:
                if isinstance(error, AwsRefusal) and error.code in _LATE:
                    event = work.again(lambda: last_event(work.aws, change_set.stack))
                    if event and event.token.startswith(f"{self.request.family}-"):
                        self.made = ""
                        return replace(change_set, name=event.token)
                    what = f"Somebody has changed stack {change_set.stack} since it was looked at: {error.what}"
                    raise IncompleteError(what, remedy="Run this again: it makes another change set.") from error
                raise
        self.made = ""
        return change_set

    def clean(self, say: Say) -> None:
        """Delete what was made for nothing; what cannot be deleted is said."""
        if not self.made:
            return
        wanted = self.request.wanted
        try:
            change_sets.delete(self.work.aws, wanted.stack, self.made)
        except ShipsafeError as error:
            say(f"Change set {wanted.name} stays behind: {error}")
        if wanted.new:
            say(f"Stack {wanted.stack} stays, empty, until something is deployed to it (REVIEW_IN_PROGRESS).")


def lead_back(stack: str, aws: Aws) -> str:
    """What to do about a stack that CloudFormation could not roll back."""
    return f"Mend what holds it, then: {by_hand('continue-update-rollback', stack, aws)}"


def by_hand(operation: str, stack: str, aws: Aws) -> str:
    """A command for a person; in the Region of the stack, which need not be the one that is set on this machine."""
    return f"aws cloudformation {operation} --stack-name {stack} --region {aws.region}"
