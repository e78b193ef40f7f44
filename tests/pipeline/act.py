"""One run of act, and what its log says: jobs with their results, outputs, annotations and summaries.

act leaves a job out without a word where no runner has its label, and ends with 0. So every label gets a runner, and a job that the log
does not name counts as skipped: tests name what they expect of every job.

It closes the terminal of a step that fails before it has read all that the step wrote: on one processor the last words of every third are
lost. So a step that fails goes on until the log has what it wrote.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "UV_CACHE_DIR", "TMPDIR", "LANG")
_LABELS = ("ubuntu-latest", "ubuntu-24.04", "ubuntu-24.04-arm", "ubuntu-22.04", "self-hosted")
_SECONDS = 1200
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# A registry may be slow for a while, or say 503 once.
PATIENT = {"PIP_DEFAULT_TIMEOUT": "60", "PIP_RETRIES": "10", "UV_HTTP_TIMEOUT": "120", "UV_HTTP_RETRIES": "10"}
# What act starts for a step; programs of the step that ask for bash get it as it is.
_BASH = """\
#!/bin/sh
[ "$(readlink "/proc/$PPID/exe")" = {act} ] || exec {bash} "$@"
{bash} "$@" && exit 0
code=$?
end="end of step $(cat /proc/sys/kernel/random/uuid)"
printf '%s\\n' "$end"
while ! grep -qF "$end" {log} && kill -0 "$PPID" 2>/dev/null; do sleep 0.02; done
exit "$code"
"""
_END = re.compile(r"end of step [0-9a-f-]{36}\n?")


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
    program, log = (Path(sysconfig.get_path("scripts")) / "act").resolve(), folder / "log.json"
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
    given = {"PATH": SYSTEM_PATH, "HOME": str(folder / "home"), **host, **PATIENT, **environment}
    given["PATH"] = f"{_bash_that_waits(folder / 'bin', program, log)}:{given['PATH']}"
    with log.open("wb") as output:
        done = subprocess.run(words, cwd=repository, env=given, stdout=output, stderr=subprocess.PIPE, text=True, check=False,
                              timeout=_SECONDS)  # fmt: skip
    said = log.read_text(encoding="utf-8")
    records = tuple(_records(said))
    assert "unsupported platform" not in said, "A job was left out, because no runner has its label."
    return Ran(code=done.returncode, records=records, errors=done.stderr, results=_results(records, jobs), summaries=_summaries(records))


def _bash_that_waits(folder: Path, program: Path, log: Path) -> Path:
    """A folder for PATH whose `bash` lets a step that fails end when the log has its last words."""
    bash = shutil.which("bash", path=SYSTEM_PATH)
    assert bash
    folder.mkdir(exist_ok=True)
    words = {name: shlex.quote(str(path)) for name, path in (("act", program), ("bash", bash), ("log", log.absolute()))}
    (folder / "bash").write_text(_BASH.format(**words), encoding="utf-8")
    (folder / "bash").chmod(0o755)
    return folder


def _records(log: str) -> Iterator[dict[str, Any]]:
    """Those of a log, without the lines that end a failing step."""
    for line in log.splitlines():
        record = json.loads(line) if line.startswith("{") else None
        if record is not None and record.get("raw_output") and _END.search(record["msg"]):
            record["msg"] = _END.sub("\n", record["msg"])
            record = None if record["msg"] == "\n" else record
        if record is not None:
            yield record


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
