"""What `shipsafe init` takes for an answer: of options, of what lies in the repository, and for the rest of a person.

Nothing goes live that nobody said yes to: the name of a stack in SAM's settings is used where `--deploy` or a person says that the pipeline
shall deploy, and proposed else.
"""

import re
import sys
from dataclasses import replace

from shipsafe.adapters.shown import shown
from shipsafe.deploy.managed import Via
from shipsafe.errors import ConfigError
from shipsafe.flows.init_look import Seen
from shipsafe.model.pipeline import HOME
from shipsafe.policy import deploying, pipeline, signing
from shipsafe.starting.answers import Answers, Host, Numbers
from shipsafe.starting.other_ci import COPIES

_SHAPES = {  # what is asked for: its shape, and what to write instead
    **{name: signing.SHAPES[name] for name in ("account", "region")},
    **{name: pipeline.SHAPES[name] for name in ("owner-id", "repository-id", "key")},
    **{name: deploying.SHAPES[name] for name in ("stack", "stack-role")},
    "numbers": (r"[1-9]\d{0,18}[ ,]+[1-9]\d{0,18}", "Write two numbers with a space between them."),
    "ref": (r"[0-9a-f]{40}", f"Write the whole commit of a release of {HOME}, 40 digits: a tag or branch can be moved."),
}
_TRIES = 3


def check_shape(name: str, value: str | None) -> None:
    """Refuse what cannot be the value of an option.

    Raises:
        ConfigError: it cannot.
    """
    shape, remedy = _SHAPES[name]
    if value is not None and not re.fullmatch(shape, value, re.ASCII):
        raise ConfigError(f"{shown(value)!r} cannot be --{name}.", remedy=remedy)


def check_against(seen: Seen, given: Answers, *, deploy: bool | None) -> None:
    """What the pipeline of that system or project could not use, or that no file of it names, is refused rather than forgotten.

    Raises:
        ConfigError: an option is of no use there.
    """
    host = seen.source.host
    if deploy and seen.tool is Via.TERRAFORM:
        remedy = "Leave out --deploy; docs/guides/via.md says how Terraform gets what was signed."
        raise ConfigError("Terraform deploys what its plan describes, and the pipeline signs it.", remedy=remedy)
    if (given.stack or given.stack_role) and not has_stack(seen):
        what = "No template of SAM or CloudFormation describes these functions, and a stack is changed through its template."
        raise ConfigError(what, remedy="Leave out --stack and --stack-role. What CDK and Terraform get is in docs/guides/via.md.")
    if given.stack and deploy is False:
        raise ConfigError("--stack names what the pipeline is to change, and --no-deploy says that it changes nothing.",
                          remedy="Leave out one of them.")  # fmt: skip
    if given.key == "sigstore:" and host is not Host.GITHUB:
        raise ConfigError("Sigstore's public authority is asked for runs on github.com alone.", remedy="Name a key of KMS: awskms:ARN.")
    if given.key and host in COPIES:
        raise ConfigError(f"The files for {host} name no key.", remedy="Set SHIPSAFE_KEY there, and leave out --key.")


def has_stack(seen: Seen) -> bool:
    """Whether a template describes the functions that a stack can be changed by; CDK and Terraform deploy theirs themselves."""
    return seen.template is not None and seen.tool is None


def both_numbers(owner: str | None, repository: str | None) -> Numbers | None:
    """GitHub's numbers, None where neither is said.

    Raises:
        ConfigError: one is said without the other.
    """
    if owner and repository:
        return Numbers(owner=owner, repository=repository)
    if owner or repository:
        lacking = "--repository-id" if owner else "--owner-id"
        raise ConfigError(f"Subjects name owner and repository, and {lacking} is missing.", remedy=f"Add {lacking}.")
    return None


def answered(seen: Seen, given: Answers, *, deploy: bool | None, ask: bool) -> Answers:
    """What the options say, and for the rest what a person says, where the policy is still to be written.

    Args:
        seen: the repository.
        given: by options.
        deploy: whether the pipeline lets functions go live; None where no option says it.
        ask: whether there is a person.

    Raises:
        ConfigError: answers that cannot be used, or half of a pair.
    """
    asking = ask and seen.policy.path is None
    account, numbers = given.account, given.numbers
    if asking:
        account = account or _asked("AWS account that signs (12 digits; empty: later)", "account")
    region = given.region or (seen.settings.region if account else None)
    if asking:
        region = region or (_asked("Its Region, eu-central-1 for example", "region") if account else None)
        if account and numbers is None and seen.source.host is Host.GITHUB:
            numbers = _numbers(seen)
    if (account is None) != (region is None):
        lacking = "--region" if region is None else "--account"
        raise ConfigError(f"Account and Region belong together, and {lacking} is missing.", remedy=f"Add {lacking}.")
    if (deploy or given.stack) and account is None and seen.policy.path is None:
        remedy = f"Add --account and --region, or leave out --{'stack' if given.stack else 'deploy'}."
        raise ConfigError("A pipeline deploys what it has signed.", remedy=remedy)
    here = replace(given, account=account, region=region, numbers=numbers)
    asking = asking and account is not None
    if has_stack(seen):
        return _stack(seen, here, deploy=deploy, ask=asking)
    if deploy is None and asking and seen.template is None:
        deploy = _yes("Shall the pipeline also deploy, to functions that are there")
    return replace(here, deploy=bool(deploy))


def _stack(seen: Seen, given: Answers, *, deploy: bool | None, ask: bool) -> Answers:
    """With the stack, if the pipeline is to change one: what somebody names, or what SAM's settings name where somebody says yes."""
    known, stack = seen.settings.stack, given.stack
    if stack is None and deploy and seen.policy.path is None:
        stack = known
    elif stack is None and deploy is None and ask and known:
        stack = known if _yes(f"Shall the pipeline also deploy, through a change set of stack {known}") else None
    elif stack is None and deploy is None and ask:
        stack = _asked("Stack that the pipeline shall change, through a change set (its name; empty: it deploys nothing)", "stack")
    if given.stack_role and stack is None and not ask and seen.policy.path is None:
        remedy = f"Add --stack {known}, or --deploy." if known else "Add --stack."
        raise ConfigError("--stack-role is a role for a stack, and nothing says that the pipeline changes one.", remedy=remedy)
    role = given.stack_role or (seen.settings.role if stack and stack == known else None)
    if stack and ask:
        role = role or _asked("Role as which CloudFormation changes it (its ARN; empty: later)", "stack-role")
    if role and given.account and role.split(":")[4] != given.account:
        what = f"{role} is of account {role.split(':')[4]}, and CloudFormation takes a role of the stack's own account, {given.account}."
        raise ConfigError(what, remedy="Name a role there with --stack-role.")
    return replace(given, stack=stack, stack_role=role if stack else None, deploy=bool(deploy or stack))


def _numbers(seen: Seen) -> Numbers | None:
    sys.stdout.write(f"GitHub's numbers of owner and repository, as gh api repos/{seen.source.repository} --jq '.owner.id, .id' says.\n")
    said = _asked("Both (empty: later; without them newer repositories get no role)", "numbers")
    owner, repository = re.split("[ ,]+", said) if said else (None, None)
    return both_numbers(owner, repository)


def _asked(question: str, name: str) -> str | None:
    for _ in range(_TRIES):
        sys.stdout.write(f"{question}: ")
        sys.stdout.flush()
        said = sys.stdin.readline().strip()
        if not said:
            return None
        if re.fullmatch(_SHAPES[name][0], said, re.ASCII):
            return said
        sys.stdout.write(f"{_SHAPES[name][1]}\n")
    raise ConfigError(f"{_TRIES} answers could not be used.", remedy=f"Say it with --{name}.")


def _yes(question: str) -> bool:
    sys.stdout.write(f"{question}? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
