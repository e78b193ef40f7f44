"""`shipsafe policy`: what holds, where it comes from, and how to start."""

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.files import write_atomic
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.cli import github_output, options, waivers
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.pipeline import Facts, facts, unlike_here
from shipsafe.gates import all_gates
from shipsafe.model.pipeline import Job
from shipsafe.model.policy import Policy
from shipsafe.policy import init_text, load, policy_schema, show
from shipsafe.policy.chain import Found, find_policy
from shipsafe.reports.strict_json import dump

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _policy() -> None:
    """What the policy allows, and where each value comes from."""


def _root(path: Path) -> Path:
    if not path.exists():
        raise ConfigError("There is no such file or folder.", remedy="Name the project's folder.", path=str(path))
    return (path if path.is_dir() else path.parent).resolve()


def _load(path: Path, file: Path | None, *, offline: bool) -> Policy:
    return load(_root(path), explicit=file, offline=offline, cache=cache_dir(), fetch=fetch, today=_today())


def _today() -> date:
    return datetime.now(UTC).date()


@app.command("show")
def show_policy(
    path: options.ProjectPath = Path(),
    *,
    policy: options.PolicyFile = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say of every value where it comes from.")] = False,
    offline: options.Offline = False,
) -> None:
    """Print the policy that holds for a project: presets, the organisation's base and its own file, merged."""
    sys.stdout.write(show(_load(path, policy, offline=offline), origin=origin))


@app.command()
def schema() -> None:
    """Print the JSON schema of shipsafe.toml, for editors."""
    sys.stdout.write(json.dumps(policy_schema(), indent=2) + "\n")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where to put shipsafe.toml.", show_default=False)] = Path(),
) -> None:
    """Write a commented shipsafe.toml to start from. It never overwrites one."""
    file = path / "shipsafe.toml"
    if file.exists():
        raise ConfigError("Already exists, and is left as it is.", remedy="Edit it, or name another folder.", path=str(file))
    if not path.is_dir():
        raise ConfigError("There is no such folder.", remedy="Name the project's folder.", path=str(path))
    write_atomic(file.absolute(), init_text().encode())
    sys.stdout.write(f"{file} written. `shipsafe policy show --origin` prints what holds.\n")


@app.command()
def gates(path: options.ProjectPath = Path(), *, policy: options.PolicyFile = None, offline: options.Offline = False) -> None:
    """List the gates: what each asks, its mode today, and from which severity on it blocks."""
    loaded = _load(path, policy, offline=offline)
    today = _today()
    sys.stdout.write(f"{'gate':14} {'required':9} {'mode':9} {'fail-on':17} asks\n")
    for gate in all_gates():
        mine = loaded.gate(gate.id)
        required = "yes" if gate.id in loaded.required else "no"
        sys.stdout.write(f"{gate.id:14} {required:9} {mine.mode_on(today):9} {mine.fail_on!s:17} {gate.title}\n")


@app.command("waivers")
def list_waivers(
    path: options.ProjectPath = Path(),
    *,
    expiring: Annotated[
        int | None, typer.Option("--expiring", metavar="DAYS", min=0, max=36500, help="Only those that end within DAYS days or have ended.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
    policy: options.PolicyFile = None,
    offline: options.Offline = False,
) -> int:
    """List the waivers: what each allows, until when, and who answers for it.

    With --expiring the exit code is 1 if there are any, for a scheduled job. Whether a waiver is still needed is what `check` says.
    """
    today = _today()
    found = waivers.listing(_load(path, policy, offline=offline), today, expiring=expiring)
    sys.stdout.write(waivers.as_json(found, today) if as_json else waivers.table(found, expiring))
    return int(ExitCode.FINDINGS if expiring is not None and found else ExitCode.PASS)


@app.command()
def pipeline(
    path: options.ProjectPath = Path(),
    *,
    stage: Annotated[str | None, typer.Option("--stage", metavar="NAME", help="Of this [[deploy.stage]].")] = None,
    target: Annotated[str | None, typer.Option("--target", metavar="NAME", help="Of this [[sign.target]].")] = None,
    checkout: Annotated[
        Path | None,
        typer.Option(
            "--checkout", metavar="FOLDER", help="In a job on GitHub: PATH and --policy lie in this checkout; say what the run is."
        ),
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option("--branch", metavar="NAME", help="With --checkout: of this protected branch, '' for the default one; else say which."),
    ] = None,
    release: Annotated[str, typer.Option("--release", metavar="WORD", help="With --checkout: auto, true or false.")] = "auto",
    attestations: Annotated[str, typer.Option("--attestations", metavar="WORD", help="Likewise: whether GitHub attests.")] = "auto",
    code_scanning: Annotated[str, typer.Option("--code-scanning", metavar="WORD", help="Likewise: whether findings go there.")] = "auto",
    policy: options.PolicyFile = None,
    offline: options.Offline = False,
) -> int:
    """Print what the jobs of a pipeline need to know, as JSON; on GitHub each fact is an output of the step, too.

    policy (its file, from the working directory), repository, workflow (one a line), branch, stage, stack, target, account, region,
    deploy-account, deploy-region, sign-environment, deploy-environment, build-role, sign-role, deploy-role, verify-role and doctor-role
    (ARNs; the last is of the role that only reads, where is signed), key, transport, transport-owner, evidence, approvals (off or
    required), approvals-source (github or file) and policy-digest are texts, empty where the policy says nothing. attest, sign, deploy and
    verify are `true` where the job has what it needs, else `false`, and left-out says why: one sentence a line. In a job of GitHub's it
    also says where AWS would refuse this repository, whose numbers the policy lacks or has wrong.
    Give it the policy of the protected branch.

    With --checkout and --branch they are `true` only where the run is a release, and so is approval; fork, scanned (findings go to code
    scanning) and attested (GitHub attests) say what else it is, id is for names of artifacts, and protected the commit of the checkout. The
    summary of the step says why nothing is released.
    """

    def look(place: Path, file: Path | None) -> tuple[dict[str, str], Facts]:
        loaded = _load(place, file, offline=offline)
        told = facts(loaded, stage=stage or None, target=target)
        unlike = unlike_here(loaded.pipeline, os.environ) if told.jobs[Job.SIGN] else None
        told = replace(told, left_out=(*told.left_out, unlike)) if unlike else told
        found = Path(os.path.relpath(_root(place) / loaded.path)).as_posix() if loaded.path else ""
        return {"policy": found, **told.values, "left-out": "\n".join(told.left_out)}, told

    if checkout is not None:
        from shipsafe.cli.pipeline import Called, tell_run  # noqa: PLC0415 - the other commands are told nothing by GitHub

        file = "" if policy in (None, Path()) else str(policy)  # an input of a workflow that nobody gave is an empty text
        words = {"release": release, "attestations": attestations, "code_scanning": code_scanning}
        called = Called(checkout=checkout, path=path.as_posix(), policy=file, stage=stage or "", branch=branch, **words)
        return tell_run(called, os.environ, look)
    if branch is not None or {release, attestations, code_scanning} != {"auto"}:
        what = "--branch, --release, --attestations and --code-scanning belong to --checkout: without it nothing is said of a run."
        raise ConfigError(what, remedy="Name the checkout of the protected branch.")
    values, told = look(path, policy)
    sys.stdout.write(dump({**values, **told.jobs, "left-out": told.left_out}))
    github_output.append({**values, **{name: "true" if runs else "false" for name, runs in told.jobs.items()}})
    return ExitCode.PASS


@app.command()
def approvals(
    path: options.ProjectPath = Path(),
    *,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="REV", help="Take what the policy waived at this commit as approved; without it, nothing."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the answer, for `sign --approvals`.")] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", metavar="FILE", help="Ask nobody: write what another system has to answer.")
    ] = None,
    policy: options.PolicyFile = None,
    offline: options.Offline = False,
) -> int:
    """Say who approved what the policy waives: waivers, VEX statements and what its baseline knows, each by the change that brought it.

    GitHub is asked for the pull request of each change and its reviews, with GITHUB_TOKEN (`pull-requests: read`). An approval counts where
    it is of a person who may write to the repository, is no author of the change, and saw what was merged. Exit 1 where something is not
    approved, 4 where nobody could look. On GitHub `approvals` (JSON, for `sign --approvals`) and `approvals-state` are outputs of the step.
    """
    from shipsafe.cli.approvals import approvals as ask  # noqa: PLC0415 - the other commands ask nobody

    found = Found.at(policy.resolve()) if policy else find_policy(_root(path))
    return ask(_load(path, policy, offline=offline), found, since=since, asks=questions, out=out, today=_today())


@app.command()
def waive(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule (layers/unpinned), or an advisory by its id (CVE-2026-1234).")],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="function:ID, layer:ID, project, an ID, or '*'.")],
    path: options.ProjectPath = Path(),
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it may stay.")],
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DATE", help="The last day on which it holds: 2027-01-31, or 30d.")
    ] = None,
    until_fixed: Annotated[bool, typer.Option("--until-fixed", help="End it as soon as a fixed version is known.")] = False,
    owner: Annotated[str | None, typer.Option("--owner", metavar="WHO", help="Who answers for it; git's user.email by default.")] = None,
    justification: Annotated[
        str | None, typer.Option("--justification", metavar="WORD", help="Why an advisory does no harm, in the words of VEX.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop after the plan.")] = False,
    policy: options.PolicyFile = None,
    offline: options.Offline = False,
) -> None:
    """Write a waiver into the policy file, after a look at the plan.

    It goes where the order of the others wants it; everything else in the file stays as it is. What the policy does not admit is refused:
    rules that cannot be waived, ends that are too far, waivers that are there already.
    """
    root, today = _root(path), _today()
    waiver = waivers.waiver_of(root, rule, subject, reason=reason, owner=owner, expires=expires, until_fixed=until_fixed,
                               justification=justification, today=today)  # fmt: skip
    edit = waivers.plan(root, waiver, policy=policy, offline=offline, today=today)
    sys.stdout.write(waivers.plan_text(edit))
    if dry_run or not waivers.confirmed(yes=yes):
        return
    edit.apply()
    sys.stdout.write(f"\n{edit.shown} written.\n")
