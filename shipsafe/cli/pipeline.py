"""`shipsafe policy pipeline --checkout`: what a run on GitHub is, told to its jobs, and to people in the summary of the step."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipsafe.adapters.git import head_commit
from shipsafe.adapters.git_history import history_of
from shipsafe.cli import github_output
from shipsafe.cli.report_files import append_summary
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, ShipsafeError
from shipsafe.flows.pipeline import Facts
from shipsafe.flows.pipeline_run import Run, asked_for, has_to_be_there, jobs_of, name_of, no_release, run_of, untrusted
from shipsafe.reports.escape import for_markdown
from shipsafe.reports.github import annotation
from shipsafe.reports.strict_json import dump

Look = Callable[[Path, Path | None], tuple[dict[str, str], Facts]]
_TITLE = "shipsafe policy pipeline"
_SENTENCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What a workflow gives the command.

    Attributes:
        checkout: the folder in which the branch is checked out that is asked.
        path: the project, from the root of the repository; policy: likewise, "" for the nearest.
        stage: "" where nobody names one.
        branch: the protected branch, "" for the default one; None where only that is asked.
        release, attestations, code_scanning: of the caller.
    """

    checkout: Path
    path: str
    policy: str
    stage: str
    branch: str | None
    release: str
    attestations: str
    code_scanning: str


def tell_run(called: Called, environment: Mapping[str, str], look: Look) -> ExitCode:
    """Say what a run is and which jobs it has: outputs of the step, its summary, warnings; gives the exit code.

    Args:
        called: by the workflow.
        environment: of the job.
        look: gives what the policy of a project says, by the project's place and the policy's (None: the nearest).
    """
    try:
        _tell(called, environment, look)
    except ShipsafeError as error:
        sys.stdout.write(f"{annotation('error', _TITLE, str(error))}\n")
        return error.exit_code
    return ExitCode.PASS


def _tell(called: Called, environment: Mapping[str, str], look: Look) -> None:
    for path in (called.path, called.policy):
        _check_inside(path)
    run = run_of(environment)
    asked = asked_for(called.release, called.attestations, called.code_scanning)
    lacking: ShipsafeError | None = None
    values: dict[str, str] = {}
    facts: Facts | None = None
    try:
        values, facts = look(called.checkout / called.path, called.checkout / called.policy if called.policy else None)
    except ShipsafeError as error:
        if has_to_be_there(run, asked, called.branch or ""):
            raise
        lacking = error
    if called.branch is None:
        _write({"branch": values.get("branch", "")})
        return
    protected = head_commit(called.checkout)
    if protected is None:
        raise IncompleteError("The commit of the protected branch cannot be read.", remedy="Check it out first.", path=str(called.checkout))
    # One that no policy names is the default branch: anybody could push one of another name. What names it is not the branch itself.
    branch = called.branch or run.default_branch
    merged = history_of(called.checkout.resolve()).holds(protected, run.commit)
    why = no_release(run, asked, branch=branch, merged=merged)
    jobs = jobs_of(run, asked, facts, release=why is None)
    if facts is not None and (words := untrusted(run, facts)):
        sys.stdout.write(f"{annotation('warning', _TITLE, words)}\n")
    _write({**values, **jobs, "id": name_of(called.path, called.stage), "protected": protected})
    append_summary(lambda: _summary(run, why, facts, lacking))


def _check_inside(path: str) -> None:
    """Refuse what leads out of the repository: whoever asks for a release would choose which policy holds."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not path.isprintable():
        what = f"{path[:200]!r} cannot be a path of this repository."
        raise ConfigError(what, remedy="path and policy are relative to its root, and lie in it.")


def _write(values: Mapping[str, str | bool]) -> None:
    sys.stdout.write(dump(dict(values)))
    github_output.append({name: value if isinstance(value, str) else str(value).lower() for name, value in values.items()})


def _summary(run: Run, why: str | None, facts: Facts | None, lacking: ShipsafeError | None) -> str:
    """For people: why nothing is signed, or which jobs are left out."""
    lines = []
    if why is not None:
        lines.append(f"Nothing is signed or deployed: this is {why}.")
    elif facts is not None:
        # Markdown of ours: what a policy can put into it are names of letters, digits, dots and dashes.
        lines += [f"- {sentence}" for sentence in facts.left_out]
    if lacking is not None:
        lines += ["", f"The protected branch does not say where it would go: {for_markdown(str(lacking), _SENTENCE)}"]
    if run.fork:
        lines += ["", "It comes from a fork: its token may only read, so that it gets no comment, and code scanning no findings."]
    return "".join(f"{line}\n" for line in lines)
