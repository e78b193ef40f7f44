"""A repository of somebody else's that calls our pipeline, its origin, and runs of it.

    consumer = Consumer(folder, product, files)
    ran = consumer.push("release", {"pay/app.py": "..."})
    assert ran.results["sign"] == ("success",)

Its work tree is the caller's checkout on GitHub's side; what jobs see they check out of `origins/acme/orders.git`.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.model.pipeline import HOME
from tests.pipeline.act import Ran, act
from tests.pipeline.github import OWNER_ID, REPOSITORY_ID, GitHub, served
from tests.pipeline.staging import CALLED_PARTS, read_workflow, stage_product, stage_run, stubs_for

NAME = "acme/orders"
SHA = "5afe" * 10  # of the release of ours that consumers call
CALLED = f"{HOME}@{SHA}"
_AUTHOR = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}
_DATE = "2026-11-01T12:00:00Z"
_PINNED = {"GIT_AUTHOR_DATE": _DATE, "GIT_COMMITTER_DATE": _DATE, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


_ONCE = """\
#!/bin/sh
place={folder}/with-$(printf %s "$*" | tr ' ' -)
mkdir -p "$place"
exec flock "$place" env RUNNER_TEMP="$place" {folder}/product/actions/setup/install "$@"
"""


@dataclass(kw_only=True)
class Consumer:
    """The repository, with what its runs left.

    Attributes:
        folder: an empty one for all of it.
        product: our repository.
        environment: of every job, such as where AWS is.
        installed: a folder in which shipsafe is installed once for all jobs; None: each job installs it, as on a runner.
        workflow: the file that calls the pipeline, from the root.
        private: whether GitHub says that the repository is.
        github: what the last run, or the next, finds there.
        kept: of the last run: `artifacts`, `code-scanning`, `attestations`.
    """

    folder: Path
    product: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    installed: Path | None = None
    workflow: str = ".github/workflows/ship.yml"
    private: bool = False
    github: GitHub = field(default_factory=lambda: GitHub(repository=NAME))
    runs: int = 0

    def __post_init__(self) -> None:
        self.tree.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", f"https://github.com/{NAME}")
        self.origin.parent.mkdir(parents=True)
        for bare in (self.origin, self.origins / f"{HOME}.git"):
            bare.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", bare], check=True, env=_environment())
            subprocess.run(["git", "-C", bare, "config", "uploadpack.allowAnySHA1InWant", "true"], check=True, env=_environment())

    @property
    def tree(self) -> Path:
        return self.folder / "orders"

    @property
    def origins(self) -> Path:
        return self.folder / "origins"

    @property
    def origin(self) -> Path:
        return self.origins / f"{NAME}.git"

    @property
    def kept(self) -> Path:
        return self.folder / f"run-{self.runs}" / "kept"

    def git(self, *words: str) -> str:
        """Run git in the work tree."""
        done = subprocess.run(["git", *words], cwd=self.tree, env=_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str = "change") -> str:
        """Write files (None: remove one), and commit; the commit."""
        for name, text in files.items():
            path = self.tree / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, files: Mapping[str, str | None] | None = None, *, branch: str = "main", **words: Any) -> Ran:
        """Commit onto a branch (without `files`: push what is there), and run what GitHub would."""
        if self.git("branch", "--show-current") != branch:
            self.git("checkout", "-q", *(() if self.git("branch", "--list", branch) else ("-b",)), branch)
        known = self.git("ls-remote", str(self.origin), f"refs/heads/{branch}").partition("\t")[0]
        before = known or "0" * 40
        after = self.commit(files) if files else self.git("rev-parse", "HEAD")
        self.git("push", "-q", str(self.origin), f"{branch}:{branch}")
        payload = {"ref": f"refs/heads/{branch}", "before": before, "after": after, "repository": self._about()}
        return self.run("push", payload, claims={"ref": f"refs/heads/{branch}", "ref_type": "branch", "sha": after}, **words)

    def pull_request(
        self, files: Mapping[str, str | None], *, number: int = 7, branch: str = "change", fork: bool = False, **words: Any
    ) -> Ran:
        """Change main in a branch, and run what GitHub would of the merge of both."""
        base = self.git("rev-parse", "main")
        self.git("checkout", "-q", "-B", branch, "main")
        head = self.commit(files)
        if not fork:
            self.git("push", "-q", "--force", str(self.origin), f"{branch}:{branch}")
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {head} into {base}", branch)
        merged = self.git("rev-parse", "HEAD")
        self.git("push", "-q", "--force", str(self.origin), f"HEAD:refs/pull/{number}/merge")
        owner = "stranger" if fork else NAME.partition("/")[0]
        payload = {
            "action": "synchronize",
            "number": number,
            "pull_request": {
                "number": number,
                "head": {"ref": branch, "sha": head, "repo": {"full_name": f"{owner}/orders", "fork": fork}},
                "base": {"ref": "main", "sha": base, "repo": {"full_name": NAME, "fork": False}},
            },
            "repository": self._about(),
        }
        claims = {"ref": f"refs/pull/{number}/merge", "ref_type": "branch", "sha": merged, "head_ref": branch, "base_ref": "main"}
        ran = self.run("pull_request", payload, claims=claims, fork=fork, **words)
        self.git("checkout", "-q", "main")
        return ran

    def merge_queue(self, files: Mapping[str, str | None], *, number: int = 7) -> Ran:
        """Let a change wait to be merged into main, and run what GitHub would of the merge that is tried."""
        base = self.git("rev-parse", "main")
        ref = f"refs/heads/gh-readonly-queue/main/pr-{number}-{base}"
        self.git("checkout", "-q", "-B", ref.removeprefix("refs/heads/"), "main")
        head = self.commit(files)
        self.git("push", "-q", "--force", str(self.origin), f"HEAD:{ref}")
        group = {"head_sha": head, "head_ref": ref, "base_sha": base, "base_ref": "refs/heads/main"}
        payload = {"action": "checks_requested", "merge_group": group, "ref": ref, "repository": self._about()}
        ran = self.run("merge_group", payload, claims={"ref": ref, "ref_type": "branch", "sha": head})
        self.git("checkout", "-q", "main")
        return ran

    def run(self, event: str, payload: Mapping[str, Any], *, claims: Mapping[str, str], fork: bool = False, meddler: Path | None = None,
            environment: Mapping[str, str] | None = None) -> Ran:  # fmt: skip
        """Run the workflow for an event; `meddler` is a program that is given name and folder of each artifact when it is handed on."""
        self.runs += 1
        folder = self.folder / f"run-{self.runs}"
        product = folder / "product"
        if self.installed:
            stage_product(self.product, product, SHA, CALLED_PARTS)
            _install_once(self.product, self.installed, product)
        else:
            stage_product(self.product, product, SHA)
        if "/pipeline.yml@" not in (self.tree / self.workflow).read_text(encoding="utf-8"):  # the others take our actions by path
            self._pretend(product)
        with served(self.github) as github:
            jobs = stage_run(self.tree / self.workflow, {CALLED: product}, issuer=f"{github.url}/oidc", fork=fork)
            github.jobs, github.claims = jobs, {"event_name": event, **claims}
            github.workflows = {"": f"{NAME}/{self.workflow}@{claims['ref']}"} | self._called()
            local = {CALLED: product, **stubs_for((self.tree, product), folder / "stubs")}
            ran = act(
                event,
                repository=self.tree,
                workflow=self.workflow,
                payload=payload,
                folder=folder / "act",
                local=local,
                jobs=tuple(dict.fromkeys(job.name.rpartition("/")[2] for job in jobs)),
                environment={
                    "STUBS": str(Path(__file__).resolve().parents[2]),
                    "STUB_PYTHON": sys.executable,
                    "STUB_ORIGINS": str(self.origins),
                    "STUB_PLACE": str(folder / "kept"),
                    "GITHUB_API_URL": github.url,
                    **({"STUB_MEDDLER": str(meddler)} if meddler else {}),
                    **self.environment,
                    **(environment or {}),
                },
            )
        self.git("checkout", "-q", "--", self.workflow)
        for left in (product, folder / "stubs", folder / "act" / "cache", folder / "act" / "home"):
            shutil.rmtree(left, ignore_errors=True)
        return ran

    def _called(self) -> dict[str, str]:
        """By the name of the calling job: what it calls, as `job_workflow_ref` has it."""
        jobs = read_workflow(self.tree / self.workflow)["jobs"]
        return {name: job["uses"] for name, job in jobs.items() if "uses" in job}

    def _about(self) -> dict[str, Any]:
        owner = {"login": NAME.partition("/")[0], "id": int(OWNER_ID)}
        return {
            "full_name": NAME,
            "default_branch": "main",
            "private": self.private,
            "id": int(REPOSITORY_ID),
            "owner": owner,
            "fork": False,
        }

    def _pretend(self, product: Path) -> None:
        """Let `HOME.git` have the product under the SHA that consumers call, for workflows that check it out."""
        origin = self.origins / f"{HOME}.git"
        environment = _environment() | {
            "GIT_DIR": str(origin),
            "GIT_WORK_TREE": str(product),
            "GIT_INDEX_FILE": str(product.parent / "index"),
        }
        for words in (
            ["add", "-A", "--force"],
            ["commit", "-q", "--allow-empty", "-m", "release"],
            ["update-ref", f"refs/pretended/{SHA}", "HEAD"],
        ):
            subprocess.run(["git", *words], cwd=product, env=environment, check=True)


def _install_once(repository: Path, folder: Path, product: Path) -> None:
    """Let `actions/setup/install` of a staged product be one for all jobs: the real one, run in `folder` by the first that asks."""
    if not (folder / "product").exists():
        staged = folder / f"product-{os.getpid()}"
        stage_product(repository, staged, SHA)
        with suppress(OSError):  # another process was first
            staged.rename(folder / "product")
    (product / "actions/setup/install").write_text(_ONCE.format(folder=shlex.quote(str(folder))), encoding="utf-8")


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **_AUTHOR, **_PINNED}
