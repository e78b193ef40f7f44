"""What `shipsafe init` shows: what it saw, the files that are new, what is missing, and what only a person can do."""

import difflib
from collections.abc import Collection, Iterator

from shipsafe.deploy.managed import Via
from shipsafe.flows.init import Draft
from shipsafe.flows.init_look import Seen
from shipsafe.starting.answers import ON_GITHUB, Answers, Host
from shipsafe.starting.other_ci import COPIES
from shipsafe.starting.policy_text import TARGET
from shipsafe.starting.samconfig import SAMCONFIG
from shipsafe.starting.workflow_text import verdict_check

_SHOWN = 20  # functions


def seen_lines(seen: Seen) -> Iterator[str]:
    """What was found."""
    source = seen.source
    count = f"{len(seen.functions)} function{'' if len(seen.functions) == 1 else 's'}"
    names = ", ".join(seen.functions[:_SHOWN]) + (", ..." if len(seen.functions) > _SHOWN else "")
    place = seen.template or ("Python files with a handler" if source.handlers else seen.policy.path)
    yield f"project     {source.path}: {count} ({names}), from {place}"
    where = f"{source.repository} on {source.server}" if source.repository else "no repository of GitHub"
    yield f"pipeline    {source.host}: {where}, branch {source.branch}"
    settings = seen.settings
    if settings.stack:
        yield f"stack       {settings.stack}{f' in {settings.region}' if settings.region else ''}, from {SAMCONFIG}"
    elif settings.remark:
        yield f"stack       {settings.remark}"
    if source.ecosystems:
        yield f"updates     {', '.join(f'{name} in {len(places)} folder(s)' for name, places in source.ecosystems)}"


def kept_lines(seen: Seen, draft: Draft, given: Collection[str]) -> Iterator[str]:
    """What is there already, and what of it a person may want to change: options that were `given` change no policy that is there."""
    yield from (f"There already, and left as it is: {path}" for path in draft.kept)
    yield from draft.advice
    ignored = [f"--{name}" for name in given if name != "ref"]
    if ignored and seen.policy.path:
        yield f"{seen.policy.path} is left as it is, so that {', '.join(ignored)} changed nothing: write it into that file."


def diff_lines(draft: Draft) -> Iterator[str]:
    """Every line of the files that are new."""
    for one in draft.new:
        yield ""
        lines = difflib.unified_diff([], one.text.splitlines(), "/dev/null", one.path, lineterm="")
        yield from (line for line in lines if not line.startswith("@@"))
    yield ""
    yield f"{len(draft.new)} file{' is' if len(draft.new) == 1 else 's are'} new; nothing that is there is changed."


def numbers_lines(seen: Seen, answers: Answers) -> Iterator[str]:
    """What happens without GitHub's numbers, where nobody said them: AWS refuses newer repositories, and nothing else tells why."""
    pipeline, source = seen.policy.pipeline, seen.source
    if source.host is not Host.GITHUB or pipeline.owner_id or (seen.policy.path and pipeline.repository is None):
        return
    if answers.numbers and seen.policy.path is None:
        return
    yield f"MISSING: GitHub's numbers of {source.repository} and of its owner (`repository-id`, `owner-id` of [pipeline])."
    yield "  The tokens of a repository that was made, renamed or moved since 15 July 2026 name both. Unless"
    yield "  the policy does, AWS gives no job of it a role: nothing is signed, and nothing goes live."
    yield "  Only an older repository can do without. They are:"
    if answers.numbers:
        yield f'  owner-id = "{answers.numbers.owner}"'
        yield f'  repository-id = "{answers.numbers.repository}"'
    else:
        yield f'  gh api repos/{source.repository} --jq \'"owner-id = \\"\\(.owner.id)\\"", "repository-id = \\"\\(.id)\\""\''


def next_lines(seen: Seen, answers: Answers, draft: Draft) -> Iterator[str]:
    """What only a person can do."""
    source = seen.source
    yield ""
    yield "Next:"
    yield "  - `shipsafe check` says today what the first run will say."
    if source.host in ON_GITHUB:
        yield from _on_github(seen)
    else:
        yield f"  - What {source.host} needs beside the files: docs/guides/other-ci.md."
    if answers.account:
        yield "  - Make the AWS side: `shipsafe bootstrap` (first `--dry-run`; `--print` writes a template)."
        yield "    Then `shipsafe doctor`."
        if answers.key and answers.key.startswith("awskms:"):
            yield "  - Say that the key counts:"
            yield f"    shipsafe keys show {answers.key} --name pipeline --for builder --for signer --for deployer >> shipsafe.toml"
    elif seen.policy.path is None:
        yield from _without_account(source.host)
    yield from _going_live(seen, answers)
    if seen.tool is Via.TERRAFORM and seen.template:
        yield f"  - {seen.template} is a plan, and may hold values that are secret in clear text: look before you commit it."
    yield f"  - Commit {'it' if len(draft.new) == 1 else 'them'}, and open a pull request: it is built and judged, and not signed."


def _on_github(seen: Seen) -> Iterator[str]:
    """Settings that no file of a repository can make."""
    source = seen.source
    settings = f"https://{source.server}/{source.repository}/settings"
    environments = " and ".join(f"`{name}`" for name in seen.policy.pipeline.environments.values())
    yield f"  - On GitHub, before the first push, make the environments {environments}:"
    yield f"    required reviewers, none of whom reviews runs of his own, and branch {source.branch} alone."
    yield "    An environment that is missing GitHub makes itself, and it stops nobody."
    yield f"    {settings}/environments"
    yield f"  - Protect branch {source.branch}: a pull request with an approval, and the check `{verdict_check(source)}`."
    yield f"    {settings}/rules (both as commands: docs/guides/github.md)"
    if source.host is Host.GITHUB_SERVER:
        yield "  - Let the subjects of its tokens name the workflow: of a server of your own AWS reads nothing else, and gives"
        yield "    no job a role without it. docs/guides/bootstrap.md has the command."


def _without_account(host: Host) -> Iterator[str]:
    yield "  - Nothing is signed yet: name your account in shipsafe.toml, and where evidence is kept."
    if host is Host.GITHUB_SERVER:
        yield "    The pipeline of a server of your own also needs `transport`, and does not run without it."
    if host in ON_GITHUB:
        yield "    Run `shipsafe init` again, which adds the schedules,"
    yield "    then `shipsafe bootstrap` and `shipsafe doctor`."


def _going_live(seen: Seen, answers: Answers) -> Iterator[str]:
    """Who deploys functions that a description describes: its tool, and never the pipeline behind the back of it."""
    if seen.template is None:
        if answers.deploy:
            yield "  - The pipeline deploys to functions that are there. `shipsafe deploy --create` makes them; where one is called"
            yield "    otherwise than here, [[deploy.function]] of shipsafe.toml says how."
    elif answers.stack:
        if seen.source.host in COPIES:
            yield f"  - Set SHIPSAFE_STAGE to `{TARGET}` for the job that deploys: the stage that names the stack."
        yield f"  - The pipeline deploys through change sets of stack {answers.stack}, which CloudFormation carries out"
        if answers.stack_role:
            yield f"    as {answers.stack_role}. What that role needs:"
            yield "    docs/guides/bootstrap.md."
        else:
            yield "    with the rights of the role that deploys: those change nothing. Name a role for it, `stack-role` of"
            yield "    [[deploy.stage]]; docs/guides/bootstrap.md says what it needs."
    elif answers.deploy:
        yield "  - The pipeline deploys no function that a stack manages, unless the policy names the stack: its job"
        yield "    `deploy` fails there. If yours are, write `stack` into a [[deploy.stage]]: docs/guides/via.md."
    elif answers.account and seen.tool is None:
        yield f"  - What {seen.template} describes goes live by its own tool, with what the pipeline signed, or by"
        yield f"    the pipeline, where the policy names its stack ({_example(seen)}): docs/guides/via.md."
    elif answers.account:
        yield f"  - What {seen.template} describes goes live by its own tool, with what the pipeline signed:"
        yield "    docs/guides/via.md."


def _example(seen: Seen) -> str:
    """How somebody says it, before the policy is there."""
    return f"--stack {seen.settings.stack}" if seen.settings.stack else "--stack NAME"
