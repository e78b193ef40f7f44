"""The straight line of `init`: what was seen and answered, the files that are missing, and nothing that is there touched.

    seen = look(path, ...)
    draft = draft_of(seen, answers, release)    # asks nobody, writes nothing
    write(seen.top, draft)

A second run finds every file there, needs no release and no network, and changes nothing.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from shipsafe.adapters.files import MEBIBYTE, read_bounded, write_new
from shipsafe.errors import ConfigError
from shipsafe.flows.init_look import Seen
from shipsafe.starting.answers import ON_GITHUB, Answers, Host, Release, Source
from shipsafe.starting.handlers import IGNORE, IGNORED
from shipsafe.starting.other_ci import COPIES, GITLAB, copied, gitlab, includes_ours
from shipsafe.starting.policy_text import TARGET, pipeline_lines, policy_text, stage_lines
from shipsafe.starting.updates import BOTS, DEPENDABOT, dependabot
from shipsafe.starting.workflow_text import pipeline_workflow, scheduled_workflow

POLICY = "shipsafe.toml"
_WORKFLOWS = ".github/workflows"
_MOST_WORKFLOWS = 500
_CALLED = re.compile(
    r"\buses:\s*[\"']?(?P<called>[\w.-]{1,100}/shipsafe/\.github/workflows/pipeline(?:-ghes)?\.yml@[\w./-]{1,200})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is not there yet: its path, POSIX, from the top of the repository, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What would be written, and what is there and stays: paths, and for some of them lines that a person may want to add."""

    new: tuple[NewFile, ...]
    kept: tuple[str, ...]
    advice: tuple[str, ...] = ()


def lacks_release(seen: Seen) -> bool:
    """Whether a file is missing in which the commit of a release of ours stands, and no file names that commit yet."""
    named = {GITLAB, _policy_path(seen.source), _shipping(seen), _again(seen)} if seen.source.host in ON_GITHUB else {GITLAB}
    missing = (path for path in _wanted(seen, keeps=False) if path in named and _standing_in(seen, path) is None)
    return seen.policy.pipeline.workflow is None and any(missing)


def release_of(seen: Seen) -> Release | None:
    """The release that the policy names already: workflow and roles must be of one commit."""
    workflow = seen.policy.pipeline.workflow
    return Release(commit=workflow.rpartition("@")[2], home="/".join(workflow.split("/")[:2])) if workflow else None


def draft_of(seen: Seen, answers: Answers, release: Release | None, *, today: date) -> Draft:
    """The files to write.

    Args:
        seen: the repository.
        answers: of a person.
        release: of ours; None only where `lacks_release` says that no file needs one.
        today: for the name of the signing profile.
    """
    source = seen.source
    standing = {path: _standing_in(seen, path) for path in _wanted(seen, keeps=answers.account is not None and seen.policy.path is None)}
    texts = dict(_texts(seen, answers, release, year=today.year))
    new = tuple(NewFile(path=path, text=texts[path]) for path, there in standing.items() if there is None)
    advice: list[str] = []
    if seen.policy.path and source.repository and release and seen.policy.pipeline.repository is None:
        advice += [
            f"{_own_policy(seen)} is left as it is. For a pipeline that signs, add to it:",
            "",
            *pipeline_lines(source, answers, release),
        ]
    if seen.policy.path and answers.stack and not any(one.stack for one in seen.policy.deploy.stages):
        target = next((one.name for one in seen.policy.sign.targets), TARGET)
        advice += [f"For the stack, add to {_own_policy(seen)}:", "", *stage_lines(answers, target=target)]
    if source.host is Host.GITLAB and not _includes_ours(seen):
        lines = gitlab(source, answers, release or Release(commit="SHA"))
        advice += [f"{GITLAB} is left as it is. For the pipeline, add to it, with the commit of a release:", "", lines]
    advice += _other_commits(seen)
    return Draft(new=new, kept=tuple(filter(None, standing.values())), advice=tuple(advice))


def write(top: Path, draft: Draft) -> Iterator[str]:
    """Write what is missing, file by file; gives the path of each.

    Raises:
        ConfigError: a file has come to be there meanwhile, or a folder is a link that leads out of the repository.
        IncompleteError: the disk refuses.
    """
    for one in draft.new:
        _inside(top, one.path)
    for one in draft.new:
        write_new(top / one.path, one.text.encode())
        yield one.path


def _wanted(seen: Seen, *, keeps: bool) -> tuple[str, ...]:
    """Paths of all files of a set-up. Only where evidence of releases is kept, schedules have something to look at again."""
    policy = _policy_path(seen.source)
    first = (*_ignore(seen.source), policy)  # once the policy names the functions, nobody looks for handlers
    match seen.source.host:
        case Host.GITLAB:
            return (*first, GITLAB)
        case Host.BITBUCKET | Host.CODEBUILD:
            return (*first, COPIES[seen.source.host])
        case _:
            again = (_again(seen),) if keeps or seen.policy.evidence else ()
            return (*first, _shipping(seen), *again, DEPENDABOT)


def _ignore(source: Source) -> tuple[str, ...]:
    """What says which files do not ship, where a function is all that lies at the top of the project."""
    return ((PurePosixPath(source.folder) / IGNORE).as_posix(),) if any(one.code == "." for one in source.handlers) else ()


def _again(seen: Seen) -> str:
    return _workflow("shipsafe", seen.source)


def _texts(seen: Seen, answers: Answers, release: Release | None, *, year: int) -> Iterator[tuple[str, str]]:
    """Path and text of each file that can be written."""
    source = seen.source
    yield from ((path, IGNORED) for path in _ignore(source))
    yield _policy_path(source), policy_text(source, answers, release, year=year)
    yield DEPENDABOT, dependabot(source)
    if source.host in COPIES:
        yield COPIES[source.host], copied(source)
    if release is not None:
        yield _shipping(seen), pipeline_workflow(source, release)
        yield _again(seen), scheduled_workflow(source, release)
        yield GITLAB, gitlab(source, answers, release)


def _policy_path(source: Source) -> str:
    return (PurePosixPath(source.folder) / POLICY).as_posix()


def _workflow(name: str, source: Source) -> str:
    """`ship.yml`; of a project below the top, one of its own: `ship-orders.yml`."""
    return f"{_WORKFLOWS}/{name}.yml" if source.path == "." else f"{_WORKFLOWS}/{name}-{_of(source)}.yml"


def _includes_ours(seen: Seen) -> bool:
    file = seen.top / GITLAB
    return not file.is_file() or includes_ours(read_bounded(file, limit=MEBIBYTE).decode(errors="replace"))


def _shipping(seen: Seen) -> str:
    """The workflow that ships: what calls our pipeline already, else a name that nothing of theirs has."""
    own = _workflow("ship", seen.source)
    return next(_calling(seen), _workflow("ship-lambda", seen.source) if os.path.lexists(seen.top / own) else own)


def _of(source: Source) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", re.sub(r"\.(?:ya?ml|json)$", "", source.path))


def _standing_in(seen: Seen, path: str) -> str | None:
    """What is there already in the place of a file: itself, or another that does the same."""
    if os.path.lexists(seen.top / path):
        return path
    if path == _policy_path(seen.source):
        return _own_policy(seen) if seen.policy.path else None
    if path == DEPENDABOT:
        return next((name for name in BOTS if os.path.lexists(seen.top / name)), None)
    return None


def _own_policy(seen: Seen) -> str:
    file = seen.top / seen.source.folder / (seen.policy.path or POLICY)
    return Path(os.path.relpath(file, seen.top)).as_posix()


def _calling(seen: Seen) -> Iterator[str]:
    """Workflows that call our pipeline for this project already."""
    for name, text in _workflows(seen):
        if _CALLED.search(text) and (seen.source.path == "." or seen.source.path in text):
            yield name


def _other_commits(seen: Seen) -> Iterator[str]:
    """Where a workflow calls another commit than the one that the policy says the roles on AWS trust."""
    trusted = seen.policy.pipeline.workflows
    for name, text in _workflows(seen) if trusted else ():
        for found in _CALLED.finditer(text):
            if found["called"] not in trusted:
                yield f"{name} calls {found['called']}, and the policy trusts {' and '.join(trusted)}: AWS gives it no role."
                yield "Write that into [pipeline] workflow of the policy, and run `shipsafe bootstrap`."


def _workflows(seen: Seen) -> Iterator[tuple[str, str]]:
    """The workflows of the repository, with their texts."""
    folder = seen.top / _WORKFLOWS
    for file in sorted(folder.glob("*.y*ml"))[:_MOST_WORKFLOWS] if folder.is_dir() else ():
        try:
            text = read_bounded(file, limit=MEBIBYTE).decode(errors="replace")
        except ConfigError:  # a link that leads nowhere, or larger than a workflow can be
            continue
        yield f"{_WORKFLOWS}/{file.name}", text


def _inside(top: Path, path: str) -> None:
    folder = (top / path).parent
    if not folder.resolve().is_relative_to(top.resolve()):
        raise ConfigError("This folder is a link that leads out of the repository.", remedy="Replace it by a folder.", path=str(folder))
