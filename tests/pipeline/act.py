"""One run of act, and what its log says: jobs with their results, outputs, annotations and summaries.

act leaves a job out without a word where no runner has its label, and ends with 0. So every label gets a runner, and a job that the log
does not name counts as skipped: tests name what they expect of every job.
"""

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "UV_CACHE_DIR", "TMPDIR", "LANG")
_LABELS = ("ubuntu-latest", "ubuntu-24.04", "ubuntu-24.04-arm", "ubuntu-22.04", "self-hosted")
_SECONDS = 240
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run left.

    Attributes:
        code: the exit code of act.
        records: of its log, in their order.
        errors: what act wrote to standard error.
        results: of each job by its name in the log's `jobID`, one for each leg of a matrix: success, failure or skipped. A leg
            that ends after another one has failed is told as failed, too.
        summaries: of each job, what its steps wrote to `GITHUB_STEP_SUMMARY`.
    """

    code: int
    records: tuple[Mapping[str, Any], ...]
    errors: str
    results: Mapping[str, tuple[str, ...]]
    summaries: Mapping[str, str]

    def text(self, job: str | None = None) -> str:
        """What the steps of a job (None: of all) printed."""
        return "".join(str(one["msg"]) for one in self.records if one.get("raw_output") and job in (None, one.get("jobID")))

    def ended(self, job: str) -> int:
        """The exit code of the first step of a job that failed; 0 where none did."""
        said = (re.fullmatch(r"exit status (\d+)", str(one["msg"])) for one in self.records if one.get("jobID") == job)
        return next((int(match[1]) for match in said if match), 0)

    def outputs(self, job: str) -> dict[str, str]:
        """What the steps of a job set, the last word of each name."""
        return {one["name"]: one["arg"] for one in self.records if one.get("command") == "set-output" and one.get("jobID") == job}

    def annotations(self, kind: str) -> list[Mapping[str, Any]]:
        """All of a kind: error, warning or notice."""
        return [one for one in self.records if one.get("command") == kind]

    def told(self) -> str:
        """For people: which jobs ended how, and the end of what failing ones printed."""
        lines = [f"{job}: {', '.join(results)}" for job, results in self.results.items()]
        for job, results in self.results.items():
            if "failure" in results:
                said = [str(one["msg"]).rstrip() for one in self.records if one.get("jobID") == job]
                lines += [f"--- {job}", *said[-60:]]
        return "\n".join([*lines, self.errors])


def act(
    event: str,
    *,
    repository: Path,
    workflow: str,
    payload: Mapping[str, Any],
    folder: Path,
    local: Mapping[str, Path],
    jobs: tuple[str, ...],
    labels: tuple[str, ...] = (),
    environment: Mapping[str, str],
) -> Ran:
    """Run a workflow.

    Args:
        event: such as `push`.
        repository: the work tree whose HEAD is the commit of the run.
        workflow: its file, from the repository's root.
        payload: of the event.
        folder: an empty one for everything that act writes; gone afterwards but for the log.
        local: `OWNER/NAME@REF` and the folder that stands for it.
        jobs: the ids of all jobs that the log may name.
        labels: of runners that jobs ask for, beside GitHub's.
        environment: of the jobs, beside what every one has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
    (folder / "home").mkdir(exist_ok=True)
    program = Path(sysconfig.get_path("scripts")) / "act"
    words: list[str | Path] = [program, event, "-W", workflow, "-e", folder / "event.json", "--json", "--no-skip-checkout"]
    words += ["--no-cache-server", "--action-offline-mode", "--action-cache-path", folder / "cache"]
    for label in (*_LABELS, *labels):
        words += ["-P", f"{label}=-self-hosted"]
    for reference, path in local.items():
        words += ["--local-repository", f"{reference}={path}"]
    for name in environment:  # act sets these itself, unless told
        if name.startswith("GITHUB_"):
            words += ["--env", f"{name}={environment[name]}"]
    host = {name: os.environ[name] for name in _KEPT if name in os.environ}
    done = subprocess.run(words, cwd=repository, env={"PATH": SYSTEM_PATH, "HOME": str(folder / "home"), **host, **environment},
                          capture_output=True, text=True, check=False, timeout=_SECONDS)  # fmt: skip
    (folder / "log.json").write_text(done.stdout, encoding="utf-8")
    records = tuple(json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    assert "unsupported platform" not in done.stdout, "A job was left out, because no runner has its label."
    return Ran(code=done.returncode, records=records, errors=done.stderr, results=_results(records, jobs), summaries=_summaries(records))


def _results(records: tuple[Mapping[str, Any], ...], jobs: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {job: [] for job in jobs}
    for record in records:
        if "jobResult" in record:
            found.setdefault(record["jobID"], []).append(record["jobResult"])
    return {job: tuple(results) or ("skipped",) for job, results in found.items()}


def _summaries(records: tuple[Mapping[str, Any], ...]) -> dict[str, str]:
    """What a step inside an action wrote act tells twice: of the step, and of the action that it is a part of."""
    found: dict[str, str] = {}
    inner: dict[str, Sequence[str]] = {}  # the step before, by leg of a job
    for record in (one for one in records if one.get("command") == "summary"):
        step, before = record["stepID"], inner.get(record["job"], ())
        if step != before[: len(step)] or step == before:
            found[record["jobID"]] = found.get(record["jobID"], "") + record["content"]
        inner[record["job"]] = step
    return found
