"""What a run of the pipeline on GitHub is, and so which of its jobs it has: only a release is signed, deployed and verified.

    run = run_of(os.environ)                                             # as GitHub's runner tells it
    why = no_release(run, asked, branch="main", merged=True)             # None: it is a release
    which = jobs_of(run, asked, facts, release=why is None)              # {"sign": True, "deploy": True, ...}

A release is a run of the protected branch that somebody pushed or started. The caller may ask for more (`release: "true"`, such as for
tags), and a branch can change its caller: so what the protected branch does not have is no release, whoever asks. Everything else is
built and judged.

Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/variables and .../events-that-trigger-workflows
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import ConfigError
from shipsafe.flows.pipeline import ATTEST, Facts
from shipsafe.model.pipeline import Job

EVENT = 32 * MEBIBYTE  # of the file that says what happened; GitHub's payloads have up to 25 MB
_JUDGED = {"pull_request": "a pull request", "merge_group": "a merge queue"}  # by what is new in them, and never released
_MEANT = ("push", "workflow_dispatch")


class Answer(StrEnum):
    """What a caller says about a part of the pipeline; `auto` leaves it to what the run is."""

    AUTO = "auto"
    TRUE = "true"
    FALSE = "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What GitHub says of a run.

    Attributes:
        event: that started it, such as `push`.
        ref: the whole name of its branch or tag, `refs/heads/main`.
        commit: its id.
        repository: `acme/orders`.
        default_branch: of the repository; "" where the event does not say it.
        public: whether everybody may see the repository; an event that does not say so says no.
        head: of a pull request, the repository that it comes from; "" where that is gone.
        workflow: the called workflow at its commit (`job.workflow_ref`); "" where the server does not say it.
    """

    event: str
    ref: str
    commit: str
    repository: str
    default_branch: str = ""
    public: bool = False
    head: str = ""
    workflow: str = ""

    @property
    def fork(self) -> bool:
        """Whether it is a pull request from another repository, whose token only reads."""
        return self.event == "pull_request" and self.head != self.repository

    def is_of(self, branch: str) -> bool:
        """Whether it is a run of this branch."""
        return bool(branch) and self.ref == f"refs/heads/{branch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller says."""

    release: Answer = Answer.AUTO
    attestations: Answer = Answer.AUTO
    code_scanning: Answer = Answer.AUTO


def run_of(environment: Mapping[str, str]) -> Run:
    """The run that a job is of.

    Raises:
        ConfigError: this is no job of GitHub's, its event cannot be read, or the event is one on which strangers could write.
    """
    told = {name: environment.get(f"GITHUB_{name}", "") for name in ("EVENT_NAME", "REF", "SHA", "REPOSITORY", "EVENT_PATH")}
    if lacking := [f"GITHUB_{name}" for name, value in told.items() if not value]:
        raise ConfigError(f"This is no job of GitHub's: {lacking[0]} is not set.", remedy="Leave out --checkout.")
    if told["EVENT_NAME"] == "pull_request_target":
        raise ConfigError("pull_request_target lets strangers write to this repository.", remedy="Call the pipeline on pull_request.")
    payload = read_json(Path(told["EVENT_PATH"]), limit=EVENT, shown="GITHUB_EVENT_PATH")
    return Run(
        event=told["EVENT_NAME"],
        ref=told["REF"],
        commit=told["SHA"],
        repository=told["REPOSITORY"],
        default_branch=_text(payload, "repository", "default_branch"),
        public=_at(payload, "repository", "private") is False,
        head=_text(payload, "pull_request", "head", "repo", "full_name"),
        workflow=environment.get("SHIPSAFE_WORKFLOW_REF", ""),
    )


def asked_for(release: str, attestations: str, code_scanning: str) -> Asked:
    """What the caller says, word by word.

    Raises:
        ConfigError: one is another word, which is no other way to say no.
    """
    try:
        return Asked(release=Answer(release), attestations=Answer(attestations), code_scanning=Answer(code_scanning))
    except ValueError as error:
        what = "release, attestations and code-scanning are auto, true or false."
        raise ConfigError(what, remedy="Write one of them, in quotes.") from error


def has_to_be_there(run: Run, asked: Asked, branch: str) -> bool:
    """Whether the protected branch has to have the project: a change may bring along the project, its policy or its stage.

    Args:
        run: which.
        asked: of the caller.
        branch: the protected one, "" while nobody knows it.
    """
    if run.event in _JUDGED:
        return False
    return run.is_of(branch) or asked.release is Answer.TRUE or (asked.release is Answer.AUTO and run.is_of(run.default_branch))


def no_release(run: Run, asked: Asked, *, branch: str, merged: bool) -> str | None:
    """What a run is that is no release, as in "this is ..."; None for a release.

    Args:
        run: which.
        asked: of the caller.
        branch: the protected one.
        merged: whether that has the commit of the run, in its history; in a shallow clone nobody knows, and it has not.
    """
    if run.event in _JUDGED:
        return _JUDGED[run.event]
    if asked.release is Answer.TRUE:
        return None if run.is_of(branch) or merged else "not a run of a commit that the protected branch has"
    if run.event not in _MEANT:
        return "a run that nobody pushed or started"
    if asked.release is Answer.FALSE:
        return "a run that releases nothing (`release` of the workflow)"
    return None if run.is_of(branch) else "not a run of the protected branch"


def jobs_of(run: Run, asked: Asked, facts: Facts | None, *, release: bool) -> dict[str, bool]:
    """What a run is and has, by the name of an output: whether its jobs run, whether it is a fork's, and what GitHub does besides.

    Args:
        run: which.
        asked: of the caller.
        facts: of the protected branch's policy; None where that has no such project.
        release: whether it is one.
    """
    ready = facts.jobs if facts is not None and release else {}
    approvals = facts is not None and (facts.values["approvals"], facts.values["approvals-source"]) == ("required", "github")
    attested = _public(run, asked.attestations)
    return {
        "fork": run.fork,
        "scanned": not run.fork and _public(run, asked.code_scanning),
        "attested": attested,
        "approval": ready.get(Job.SIGN, False) and approvals,
        ATTEST: release and (ready.get(ATTEST, False) or attested),
        **{job: ready.get(job, False) for job in (Job.SIGN, Job.DEPLOY, Job.VERIFY)},
    }


def untrusted(run: Run, facts: Facts) -> str | None:
    """What to do where AWS gives this commit of the workflow no role, such as in the change in which Dependabot proposes it."""
    trusted = facts.values["workflow"].split("\n")
    if not facts.jobs[Job.SIGN] or not all(trusted) or not run.workflow or run.workflow in trusted:
        return None
    return (
        f"This is {run.workflow}, and the policy says that roles on AWS trust {' and '.join(trusted)}: jobs that take one will fail. Before"
        " this is merged, write it into [pipeline] workflow and run shipsafe bootstrap with that policy; where it is merged, do so and run"
        " the failed jobs again."
    )


def name_of(path: str, stage: str) -> str:
    """Twelve hex digits for the artifacts of a call: two calls in one run, for two projects or stages, keep theirs apart."""
    return hashlib.sha256(f"{path}\0{stage}".encode(errors="surrogateescape")).hexdigest()[:12]


def _public(run: Run, answer: Answer) -> bool:
    """Private repositories have neither attestations nor code scanning on every plan of GitHub's."""
    return answer is Answer.TRUE or (answer is Answer.AUTO and run.public)


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any, *keys: str) -> str:
    found = _at(value, *keys)
    return found if isinstance(found, str) else ""
