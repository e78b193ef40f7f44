"""Workflows as GitHub would run them, made ready for act, which lacks three things.

- `uses: $/actions/NAME` (our repository at the called commit) becomes `HOME/actions/NAME@SHA`, what `job.` says of the workflow is a
  constant, and the number of a job in its matrix comes from `matrix.shard`.
- What a job may do: each gets a token of its own, the rights that GitHub would give it (of its caller's and its own the smaller ones), and
  the two variables of OpenID Connect only with `id-token: write`. A job that asks for more than its caller has ends the run at once.
- Actions of others: each `uses:` leads to a stub, and what none stands for is an error, as is an input that the stub does not know.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shipsafe.model.pipeline import HOME

STUBS = Path(__file__).parent / "stubs"
_LEVELS = ("none", "read", "write")
_UNSAID = {"contents": "read", "packages": "read"}  # what a workflow has that names no permissions, under GitHub's restricted default
CALLED_PARTS = ("actions", ".github")
_ALL_PARTS = (*CALLED_PARTS, "shipsafe", "pyproject.toml", "README.md", "LICENSE")


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of a boolean, as GitHub has it: `on` is a text."""


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads."""


for _kind in (_Loader, _Dumper):
    _kind.yaml_implicit_resolvers = {
        sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _kind.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false|True|False|TRUE|FALSE"), list("tTfF"))


def read_workflow(path: Path) -> Any:
    """A workflow or an action."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader


class StartupFailureError(AssertionError):
    """GitHub would not start this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedJob:
    """A job of a staged workflow: `caller/job` for those of a called one.

    Attributes:
        rights: what its token may do, by name of the permission.
        labels: of the runners that it asks for, expressions included.
        token: of GitHub, its own.
    """

    name: str
    rights: Mapping[str, str]
    labels: tuple[str, ...]
    token: str


def stage_product(repository: Path, target: Path, sha: str, parts: tuple[str, ...] = _ALL_PARTS) -> None:
    """Copy our repository (or parts of it) as it is checked out to `target`, so that act can call it as `HOME@sha`."""
    target.mkdir(parents=True)
    skip = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache")
    for name in parts:
        if (repository / name).is_dir():
            shutil.copytree(repository / name, target / name, ignore=skip)
        elif (repository / name).is_file():
            shutil.copy2(repository / name, target / name)
    for path in [*(target / "actions").glob("*/action.yml"), *(target / ".github/workflows").glob("*.yml")]:
        path.write_text(_constants(path.read_text(encoding="utf-8"), sha, path.name), encoding="utf-8")


def _constants(text: str, sha: str, name: str) -> str:
    text = re.sub(r"(uses:\s*[\"']?)\$/([\w./-]+)", rf"\g<1>{HOME}/\g<2>@{sha}", text)
    for word, value in (
        ("job.workflow_sha", sha),
        ("job.workflow_repository", HOME),
        ("job.workflow_ref", f"{HOME}/.github/workflows/{name}@{sha}"),
        ("job.workflow_file_path", f".github/workflows/{name}"),
    ):
        text = re.sub(rf"\b{re.escape(word)}\b", f"'{value}'", text)
    # act hands on the outputs of a skipped job as they are written, and GitHub as nothing
    text = re.sub(r"\bneeds\.([\w-]+)\.outputs\.([\w-]+)", r"(needs.\g<1>.result != 'skipped' && \g<0> || '')", text)
    text = re.sub(r"\bstrategy\.job-index\b", "format('job-index({0})', matrix.shard)", text)  # act has none; stubs/given.py reads it
    return re.sub(r"\b(?:github\.token|secrets\.GITHUB_TOKEN)\b", "env.STUB_TOKEN", text)


def stage_run(workflow: Path, products: Mapping[str, Path], *, issuer: str, fork: bool = False) -> tuple[StagedJob, ...]:
    """Give every job of a workflow and of those it calls its rights, in the files; what the jobs are.

    Args:
        workflow: the caller's.
        products: `HOME@SHA` -> a staged copy, whose workflows are changed, too.
        issuer: the URL that a job asks for its token, with the name of the job at its end.
        fork: whether the run is one of a pull request from a fork, whose token only reads.

    Raises:
        StartupFailureError: a called job asks for more than its caller may.
    """
    caller = read_workflow(workflow)
    jobs = []
    for name, job in caller["jobs"].items():
        rights = _rights(job.get("permissions", caller.get("permissions")), _UNSAID)
        if "uses" not in job:
            jobs.append(_staged(name, job, rights, issuer, fork=fork))
            continue
        repository, _, rest = _called(job["uses"])
        path = products[repository] / rest
        called = read_workflow(path)
        for inner, each in called["jobs"].items():
            asked = _rights(each.get("permissions", called.get("permissions")), rights)
            _compare(name, inner, asked, rights)
            jobs.append(_staged(f"{name}/{inner}", each, asked, issuer, fork=fork))
        _dump(called, path)
    _dump(caller, workflow)
    return tuple(jobs)


def _called(uses: str) -> tuple[str, str, str]:
    """`HOME@SHA`, the reference, and the file of a called workflow."""
    path, _, ref = uses.partition("@")
    owner, name, rest = path.split("/", 2)
    return f"{owner}/{name}@{ref}", ref, rest


def _rights(permissions: Any, unsaid: Mapping[str, str]) -> dict[str, str]:
    if permissions is None:
        return dict(unsaid)
    if isinstance(permissions, str):
        raise StartupFailureError(f"permissions: {permissions} is more than anything of ours needs")
    return {name: level for name, level in permissions.items() if level != "none"}


def _compare(caller: str, inner: str, asked: Mapping[str, str], given: Mapping[str, str]) -> None:
    for name, level in asked.items():
        allowed = given.get(name, "none")
        if _LEVELS.index(level) > _LEVELS.index(allowed):
            words = f"The nested job '{inner}' of '{caller}' is requesting '{name}: {level}', but is only allowed '{name}: {allowed}'."
            raise StartupFailureError(words)


def _staged(name: str, job: Any, rights: dict[str, str], issuer: str, *, fork: bool) -> StagedJob:
    if fork:
        rights = {right: "read" for right in rights if right != "id-token"}
    slug = name.replace("/", ".")
    token = f"ghs_{slug.replace('-', '_')}"
    env = {"STUB_TOKEN": token, "STUB_RIGHTS": json.dumps(rights, sort_keys=True)}
    if rights.get("id-token") == "write":
        environment = job.get("environment", "")
        environment = environment if isinstance(environment, str) else environment["name"]
        env["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{issuer}/{slug}?environment={environment}"
        env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = token
    job["env"] = {**job.get("env", {}), **env}
    labels = job["runs-on"]
    return StagedJob(name=name, rights=rights, labels=(labels,) if isinstance(labels, str) else tuple(labels), token=token)


def _dump(value: Any, path: Path) -> None:
    path.write_text(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10_000), encoding="utf-8")


def stubs_for(folders: tuple[Path, ...], target: Path) -> dict[str, Path]:
    """`OWNER/NAME@REF` of every action of others that workflows and actions in `folders` use, and the folder of its stub.

    Raises:
        AssertionError: there is no stub, a reference is no commit, or a step gives an input that the stub does not know.
    """
    found: dict[str, Path] = {}
    for step, path in _steps(folders):
        uses = str(step.get("uses", ""))
        if not uses or uses.startswith(("./", f"{HOME}/")):
            continue
        action, _, ref = uses.partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", ref), f"{path}: {uses} is not pinned to a commit"
        definition = STUBS / action / "action.yml"
        assert definition.is_file(), f"{path}: there is no stub of {action}"
        known = read_workflow(definition)["inputs"]
        unknown = set(step.get("with", {})) - set(known)
        assert not unknown, f"{path}: the stub of {action} does not know {sorted(unknown)}"
        owner, name, *_ = action.split("/")
        found[f"{owner}/{name}@{ref}"] = STUBS / owner / name
    return _copied(found, target)


def _copied(found: Mapping[str, Path], target: Path) -> dict[str, Path]:
    for reference, stub in found.items():
        shutil.copytree(stub, target / reference, dirs_exist_ok=True)
    return {reference: target / reference for reference in found}


def _steps(folders: tuple[Path, ...]) -> Iterator[tuple[Mapping[str, Any], Path]]:
    for folder in folders:
        for path in [*folder.glob("actions/*/action.yml"), *folder.glob(".github/workflows/*.yml")]:
            value = read_workflow(path)
            holders = value["jobs"].values() if "jobs" in value else [value["runs"]]
            for holder in holders:
                for step in holder.get("steps", []):
                    yield step, path
