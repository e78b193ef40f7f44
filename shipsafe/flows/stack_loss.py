"""Whether an update leaves nothing of a stack as it was: then it is likely somebody else's, and a name in the policy is wrong.

CloudFormation deletes what a template does not have. So one letter in `stack` could take another team's tables away, and the pipeline
would say yes to it.
"""

from shipsafe.adapters.aws.stacks import resources_of_stack
from shipsafe.errors import ConfigError
from shipsafe.flows.stack_plan import StackPlan

_TOLD = 5  # resources in a sentence


def all_lost(plan: StackPlan) -> tuple[str, ...]:
    """Logical ids of all that the stack has, where the update takes all of it away; () where something stays, or nothing is there.

    Raises:
        IncompleteError: CloudFormation refused or gave no answer.
    """
    change_set = plan.proposal.change_set
    if change_set is None or not plan.changes:
        return ()
    removed = {one.logical_id for one in change_set.changes if one.action == "Remove"}
    if not removed or any(one.action == "Modify" for one in change_set.changes):
        return ()
    name = plan.request.wanted.stack
    there = plan.proposal.work.again(lambda: resources_of_stack(plan.aws, name))
    return tuple(sorted(there)) if there <= removed else ()


def told_loss(plan: StackPlan, lost: tuple[str, ...]) -> str:
    """A sentence of it."""
    more = f" and {len(lost) - _TOLD} more" if len(lost) > _TOLD else ""
    return f"NOTHING of what stack {plan.request.wanted.stack} has is in the template: {', '.join(lost[:_TOLD])}{more} would be taken away."


def refuse_loss(plan: StackPlan, lost: tuple[str, ...]) -> None:
    """Refuse it where nobody is asked.

    Raises:
        ConfigError: everything would go.
    """
    if lost:
        remedy = f"Correct the `stack` of stage {plan.case.request.stage}; if it is right, run it without --yes, which asks."
        raise ConfigError(told_loss(plan, lost), remedy=remedy)
