"""Read what a run is about: the policy, the project, VEX documents, and which functions and layers were asked for."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.errors import ConfigError, NothingError
from shipsafe.flows.known import Known, given, open_known
from shipsafe.flows.request import Request
from shipsafe.model.policy import Policy
from shipsafe.model.project import Project, Subject
from shipsafe.model.vex import Statement, VexDocument
from shipsafe.packing.publish import check_names
from shipsafe.policy import load
from shipsafe.policy.vex import read_documents
from shipsafe.readers import read_project


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was asked for, read and understood. `subjects` are those to examine."""

    request: Request
    policy: Policy
    project: Project
    subjects: tuple[Subject, ...]
    documents: tuple[VexDocument, ...]
    statements: tuple[Statement, ...]
    known: Known


def prepare(request: Request) -> Prepared:
    """Read everything that says what to do.

    Raises:
        ConfigError: the command line, the policy, a document or the template cannot be used.
        NothingError: there is no function to examine.
    """
    if not request.path.exists():
        raise ConfigError("There is no such file or folder.", remedy="Name the project's folder or its template.",
                          path=str(request.path))  # fmt: skip
    policy = read_policy(request)
    project = _project(request, policy)
    project = replace(project, hints=(*project.hints, *_chosen_for_nobody(policy, project)))
    documents, statements = read_documents(policy, request.vex, root=project.root)
    known = open_known(request, policy, project.root)
    subjects = select(project, request.functions)
    check_names([subject.name for subject in subjects])
    return Prepared(request=request, policy=policy, project=project, subjects=subjects, documents=documents, statements=statements,
                    known=known)  # fmt: skip


def _chosen_for_nobody(policy: Policy, project: Project) -> Iterator[str]:
    """What `[[select]]` says of functions and layers that there are not: most often a name with a typing error, or an old one."""
    names = [subject.name for subject in project.subjects]
    for one in policy.selects:
        if not any(fnmatchcase(name, one.function) for name in names):
            near = difflib.get_close_matches(one.function, names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            yield f"No function and no layer fits [[select]] {one.function!r} of the policy.{hint}"


def read_policy(request: Request) -> Policy:
    """The policy that holds for what was asked for, with what the command line sets over it.

    Raises:
        ConfigError: it or the command line cannot be used.
        IncompleteError, IntegrityError: what it extends cannot be had, or is not what it names.
    """
    return load(request.folder, explicit=request.policy, offline=request.offline, cache=cache_dir(), fetch=fetch,
                today=request.today, given=given(request))  # fmt: skip


def _project(request: Request, policy: Policy) -> Project:
    """The project, with what another tool staged in the place of its code."""

    def read() -> Project:
        return read_project(request.path, policy=policy, overrides=request.overrides)

    if not request.prebuilt:
        return read()
    from shipsafe.readers.prebuilt import read_prebuilt  # noqa: PLC0415 - only for --prebuilt

    return read_prebuilt(request.path, request.prebuilt, policy=policy, overrides=request.overrides, read=read)


def select(project: Project, names: Sequence[str]) -> tuple[Subject, ...]:
    """The subjects to examine: all, or the named functions with the layers of this project that they use."""
    if not project.subjects:
        raise NothingError(
            "There is no Lambda function and no layer in this project.",
            remedy="Name another folder or template, or add [[functions]] to shipsafe.toml.",
            path=project.template,
        )
    if not names:
        return project.subjects
    known = {function.name: function for function in project.functions}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known)) or 'none'}."
            raise ConfigError(f"There is no function {name!r} in this project.", remedy=hint, path=project.template)
    functions = tuple(function for function in project.functions if function.name in names)
    used = {ref.local for function in functions for ref in function.layers if ref.local}
    return (*functions, *(layer for layer in project.layers if layer.name in used))
