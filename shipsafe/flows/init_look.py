"""What `init` sees in a repository: the project that it is about, who hosts it, its branch, and what can be updated.

Nothing of the project is run, and nothing but a remote's address and the names of branches is asked of git.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from shipsafe.adapters.git_state import repository_url
from shipsafe.adapters.git_tree import quiet_git
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.adapters.process import Run
from shipsafe.adapters.shown import shown
from shipsafe.deploy.managed import Via, tool_of
from shipsafe.errors import ConfigError, NothingError, ShipsafeError
from shipsafe.model.policy import Policy
from shipsafe.policy import load
from shipsafe.policy.pipeline import SHAPES
from shipsafe.readers import all_readers, read_project
from shipsafe.starting.answers import ON_GITHUB, Handler, Host, Source, plain_path, slug
from shipsafe.starting.handlers import handlers
from shipsafe.starting.samconfig import SamSettings, sam_settings
from shipsafe.starting.updates import ecosystems
from shipsafe.starting.walk import folders

_REPOSITORY, _BRANCH = (re.compile(SHAPES[key][0], re.ASCII) for key in ("repository", "branch"))
_USUAL = ("main", "master")  # names of branches
_MOST_PROJECTS = 20
_CI = {
    ".gitlab-ci.yml": Host.GITLAB,
    "bitbucket-pipelines.yml": Host.BITBUCKET,
    "buildspec.yml": Host.CODEBUILD,
    "buildspec.yaml": Host.CODEBUILD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A repository as it stands.

    Attributes:
        top: of the checkout, absolute. `source`: what texts need of it.
        policy: what holds now. `template`: what describes the functions, None for a plain folder. `functions`: their names.
        tool: what deploys all that its description describes, as Terraform does; None where that cannot be said.
        settings: what SAM's settings say of the stack, beside the template.
    """

    top: Path
    source: Source
    policy: Policy
    template: str | None
    functions: tuple[str, ...]
    tool: Via | None = None
    settings: SamSettings = field(default_factory=SamSettings)


def look(path: Path, *, repository: str | None, branch: str | None, offline: bool, today: date, run: Run) -> Seen:
    """Look at a repository.

    Args:
        path: a folder, or a template or plan in it.
        repository: what a person says that it is called, which wins.
        branch: what a person says is the protected branch, which wins over the policy, and that over git.
        offline: whether a policy that is extended by URL may be fetched.
        today: for the policy.
        run: starts git.

    Raises:
        ConfigError: it is no git repository, several projects lie in it, a name cannot be written down, or policy or template are broken.
        NothingError: there is no function in it, or another tool has to run first.
    """
    if not path.exists():
        raise ConfigError("There is no such file or folder.", remedy="Name the project's folder.", path=str(path))
    place = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    folder = place if place.is_dir() else place.parent
    top = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
    if top is None:
        raise ConfigError("This is no git repository, and a pipeline is of one.", remedy="Run `git init` first.", path=str(path))
    policy = _policy(folder, offline=offline, today=today)
    address = urlsplit(repository_url(top, run=run) or "")
    host, server, named = _host(top, repository or policy.pipeline.repository, address)
    if host is Host.UNKNOWN or (host in ON_GITHUB and named is None):
        remedy = "Name it with --repository OWNER/NAME; for other systems see docs/guides/other-ci.md."
        raise ConfigError("No remote says which repository of GitHub this is.", remedy=remedy, path=str(top))
    found = _project(place, policy, lambda root: handlers(root, project=slug(named.partition("/")[2] if named else root.name)))
    inner = found.place if found.place.is_dir() else found.place.parent
    policy = policy if inner == folder else _policy(inner, offline=offline, today=today)
    called = (named or address.path.strip("/").removesuffix(".git")).rpartition("/")[2] or top.name
    said = branch or (policy.pipeline.branch if policy.pipeline.repository else None)
    source = Source(
        name=slug(called if inner == top else f"{inner.name}-{called}"),
        path=plain_path(found.place.relative_to(top).as_posix(), "path"),
        folder=plain_path(inner.relative_to(top).as_posix(), "folder"),
        host=host,
        server=server,
        repository=named,
        branch=_branch(top, said, run),
        handlers=found.handlers,
        ecosystems=ecosystems(top),
    )
    settings = sam_settings(inner) if found.template and found.tool is None else SamSettings()
    return Seen(top=top, source=source, policy=policy, template=found.template, functions=found.functions, tool=found.tool,
                settings=settings)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    place: Path
    template: str | None
    functions: tuple[str, ...]
    tool: Via | None = None
    handlers: tuple[Handler, ...] = ()


def _policy(folder: Path, *, offline: bool, today: date) -> Policy:
    return load(folder, offline=offline, cache=cache_dir(), fetch=fetch, today=today)


def _project(place: Path, policy: Policy, handlers_in: Callable[[Path], tuple[Handler, ...]]) -> _Found:
    """The project at a place, or the only one below it, or a plain folder's handlers."""
    try:
        return _read(place, policy)
    except NothingError:
        if place.is_file() or any(reader.before and reader.before(place) for reader in all_readers()):
            raise  # another tool has to run first, as it says
        below = _below(place, policy)
        if len(below) == 1:
            return _read(below[0], policy)
        if below:
            listed = ", ".join(shown(one.relative_to(place).as_posix()) for one in below)
            what = f"{len(below)} projects lie here: {listed}."
            raise ConfigError(what, remedy="Name one of them, and run it again for each of the others.", path=str(place)) from None
        if not (proposed := handlers_in(place)):
            raise
        return _Found(place=place, template=None, functions=tuple(one.name for one in proposed), handlers=proposed)


def _read(place: Path, policy: Policy) -> _Found:
    project = read_project(place, policy=policy, overrides={})
    tool = tool_of(project.template or "", (one.location.path or "" for one in project.functions))
    return _Found(place=place, template=project.template, functions=tuple(one.name for one in project.functions), tool=tool)


def _below(root: Path, policy: Policy) -> tuple[Path, ...]:
    """Folders that a reader would read, none within another; at most 20."""
    found: list[Path] = []
    for folder, _ in islice(folders(root), 1, None):
        if len(found) < _MOST_PROJECTS and not any(folder.is_relative_to(one) for one in found):
            found += [folder] if _is_project(folder, policy) else []
    return tuple(found)


def _is_project(folder: Path, policy: Policy) -> bool:
    try:
        return any(reader.claims(folder, policy) for reader in all_readers() if reader.id != "folder")
    except ConfigError:  # several templates side by side: it is one, and whoever names it hears what is wrong
        return True


def _host(top: Path, repository: str | None, address: SplitResult) -> tuple[Host, str, str | None]:
    """Who runs its pipeline, on which machine, and what it is called there; `address` is its remote's, empty where it has none."""
    server, named = (address.hostname or "").lower(), address.path.strip("/").removesuffix(".git")
    files = [host for name, host in _CI.items() if (top / name).is_file()]
    workflows = (top / ".github" / "workflows").is_dir()
    if repository is not None and not _REPOSITORY.fullmatch(repository):
        raise ConfigError(f"{shown(repository)!r} is no repository of GitHub.", remedy="Write OWNER/NAME.")
    host = _by_server(server)
    if repository and host not in ON_GITHUB:
        host = Host.GITHUB if not server or host is not Host.UNKNOWN else Host.GITHUB_SERVER
    elif host is Host.UNKNOWN:
        host = Host.GITHUB_SERVER if workflows and server else files[0] if files else Host.UNKNOWN
    if host not in ON_GITHUB:
        return host, server, None
    called = repository or (named if _REPOSITORY.fullmatch(named) else None)
    return host, "github.com" if host is Host.GITHUB else server, called


def _by_server(server: str) -> Host:
    """By the names that everybody uses; a machine of one's own can be called anything."""
    if server in ("github.com", "www.github.com", "ssh.github.com"):
        return Host.GITHUB
    if server.endswith(".ghe.com"):
        return Host.GITHUB_SERVER
    known = {"gitlab": Host.GITLAB, "bitbucket": Host.BITBUCKET, "github": Host.GITHUB_SERVER, "git-codecommit": Host.CODEBUILD}
    return known.get(server.partition(".")[0], Host.UNKNOWN)


def _branch(top: Path, said: str | None, run: Run) -> str:
    """The default branch: as somebody says, as the remote has it, one of the usual names, or what is checked out."""
    if said is None:
        try:
            git = quiet_git(top, run)
            remote = git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").stdout.strip().removeprefix("origin/")
            heads = git("for-each-ref", "--format=%(refname:short)", "refs/heads").stdout.split()
            current = git("symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip()
        except ShipsafeError:  # there is no git on this machine
            remote, heads, current = "", [], ""
        said = remote or next((name for name in _USUAL if name in heads), None) or current or _USUAL[0]
    if not _BRANCH.fullmatch(said):
        raise ConfigError(f"The branch {shown(said)!r} cannot be written into a workflow.", remedy="Name another with --branch.")
    return said
