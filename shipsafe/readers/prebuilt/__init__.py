"""What another tool staged, put in the place of the code that a project describes.

    .aws-sam/build     its template names the functions and layers, and decides what is packed
    .serverless        the same, from cloudformation-template-update-stack.json and the zips beside it
    cdk.out            the project is the CDK application; its assets ship as they lie, whatever list of dependencies is in them
    NAME=PATH          one function or layer
    a folder or zip    one function: the one that uses it as its code, that has its name, or the only one

A tool builds all of a project: a function that its build does not have is not there, and is not built here instead. Where one folder
or zip is named, the others are built here, and a hint says so. The project stays what it was: its policy, its parameters, its locks,
and the places that people edit. What the project does not say of a function is not known; nothing is guessed from the files.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from shipsafe.adapters.files import relative
from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.policy import Policy
from shipsafe.model.project import Built, Code, CodeKind, Function, Layer, LayerRef, Project, Subject
from shipsafe.readers import check_names
from shipsafe.readers.bundling import is_hint, listed
from shipsafe.readers.prebuilt.layout import Layout, look

_LOCAL = (CodeKind.FOLDER, CodeKind.ZIP)
_SOURCES = (CodeKind.FOLDER, CodeKind.FILE, CodeKind.ZIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The project without what was built, where it describes itself, and what the command line says."""

    root: Path
    own: Project | None
    policy: Policy
    overrides: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What lies at one place. `whole` is the place where a tool that builds all of a project left it, or None."""

    project: Project
    subjects: tuple[Subject, ...]
    whole: str | None = None


def read_prebuilt(
    path: Path, built: Sequence[Built], *, policy: Policy, overrides: Mapping[str, str], read: Callable[[], Project]
) -> Project:  # fmt: skip
    """The project, with what lies at each `built` in the place of its code.

    Args:
        path: the project's folder or template.
        built: what `--prebuilt` names.
        policy: as for `read_project`.
        overrides: as for `read_project`.
        read: reads the project without what was built.

    Raises:
        ConfigError: there is nothing at one of them, nothing says which function it is, or two are the same function.
        NothingError: nothing describes the function.
    """
    try:
        own: Project | None = read()
    except NothingError:
        own = None  # a template that another tool built may describe them
    root = own.root if own else path.resolve() if path.is_dir() else path.parent.resolve()
    asked = _Asked(root=root, own=own, policy=policy, overrides=overrides)
    parts = [_part(one, asked) for one in built]
    wholes, singles = [one for one in parts if one.whole is not None], [one for one in parts if one.whole is None]
    _check_twice(wholes)
    _check_twice(singles)
    staged = {one.name: one for part in (*wholes, *singles) for one in part.subjects}  # what is named alone wins
    subjects, here = _together(staged, own, wholes[0].whole if wholes else None)
    check_names(tuple(subjects))
    described = [part.project for part in wholes] or [part.project for part in singles[:1]]
    hints = [hint for project in described for hint in project.hints if not (wholes and is_hint(hint))]
    prebuilt = tuple(relative(one.path.resolve(), root) for one in built)
    hints.append(f"Another tool has built what lies in {', '.join(prebuilt)}; it is asked and packed as it lies.")
    if here:
        hints.append(f"--prebuilt names nothing for these, which are built here: {listed(here)}.")
    base = own or parts[0].project
    return replace(
        base,
        templates=tuple(dict.fromkeys(name for project in (base, *described) for name in project.templates)),
        functions=tuple(one for one in subjects if isinstance(one, Function)),
        layers=tuple(one for one in subjects if isinstance(one, Layer)),
        hints=tuple(dict.fromkeys(hints)),
        unresolved=tuple(dict.fromkeys(one for project in described for one in project.unresolved)),
        prebuilt=prebuilt,
    )


def _check_twice(parts: Sequence[_Part]) -> None:
    names = [one.name for part in parts for one in part.subjects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"Two of --prebuilt are {twice[0]}.", remedy="Name each function's build once.")


def _together(staged: Mapping[str, Subject], own: Project | None, whole: str | None) -> tuple[list[Subject], list[str]]:
    """The subjects in the project's order, then those that only a build knows; and the names of those that are built here."""
    subjects: list[Subject] = []
    here: list[str] = []
    known = own.subjects if own else ()
    for one in known:
        if one.name in staged or one.code.kind not in _SOURCES:
            subjects.append(staged.get(one.name, one))
        elif whole is not None:
            # Where the tool would have put it: staging says that it is not there.
            code = Code(kind=CodeKind.FOLDER, path=f"{whole}/{one.name}", prebuilt=True)
            subjects.append(replace(one, code=code))
        else:
            subjects.append(one)
            here.append(one.name)
    names = {one.name for one in known}
    return [*subjects, *(one for name, one in staged.items() if name not in names)], here


def _part(built: Built, asked: _Asked) -> _Part:
    """What one place gives: functions and layers whose code lies there."""
    layout = look(built.path, asked.root, alone=built.name is not None)
    if layout.assembly:
        return _assets(layout, asked)
    if layout.template is None:
        return _bare(layout, built.name, asked)
    # Late, because this module stands among the readers that it would load.
    from shipsafe.readers.cloudformation import read_template  # noqa: PLC0415

    project = read_template(asked.root, layout.template, asked.policy, asked.overrides, assets=layout.assets)
    if not project.subjects and not project.unresolved:
        raise NothingError(f"{layout.template} describes no Lambda function and no layer.", remedy="Build the project first.")
    functions = [_built(one, _own(one, asked), layout) for one in project.functions]
    layers = [_built(one, _own(one, asked), layout) for one in project.layers]
    return _Part(project=project, subjects=(*functions, *layers), whole=layout.path)


def _own(built: Subject, asked: _Asked) -> Subject | None:
    """The same function or layer, as the project itself describes it."""
    found = (one for one in (asked.own.subjects if asked.own else ()) if one.name == built.name)
    return next((one for one in found if isinstance(one, type(built))), None)


def _built(built: Subject, own: Subject | None, layout: Layout) -> Subject:
    """A function or layer of the built template, with the places where people edit it."""
    code = _code(built.code, own, layout)
    if own is None:
        return replace(built, code=code)
    same = {name: place for name, place in own.places.items() if getattr(own, name, None) == getattr(built, name, None)}
    found = replace(built, code=code, location=own.location, requirements=own.requirements, places={**built.places, **same})
    if isinstance(found, Function) and isinstance(own, Function) and _layers(own) == _layers(found):
        return replace(found, layers=own.layers)
    return found


def _layers(function: Function) -> list[LayerRef]:
    """Its layers without their places."""
    return [replace(ref, location=None) for ref in function.layers]


def _code(code: Code, own: Subject | None, layout: Layout) -> Code:
    """What the built template names lies as it ships, in its folder or elsewhere (`SkipBuild`)."""
    if code.kind not in _LOCAL:
        return code
    source = layout.source
    if own is not None and own.code.path is not None and own.code.path != code.path:
        source = _folder(own.code)
    return replace(code, prebuilt=True, source=source)


def _folder(code: Code) -> str | None:
    """The folder that holds the code that people edit, or None for what is no source."""
    if code.path is None or code.kind not in (CodeKind.FOLDER, CodeKind.FILE):
        return None
    return code.path if code.kind is CodeKind.FOLDER else PurePosixPath(code.path).parent.as_posix()


def _assets(layout: Layout, asked: _Asked) -> _Part:
    """The assets of a synthesized CDK application, of which the project itself is read."""
    own = asked.own
    if own is None or own.template != layout.assembly:
        raise ConfigError(
            "The assets of another CDK application than the project's.",
            remedy="Name the application's folder: shipsafe build APP --prebuilt APP/cdk.out.",
            path=layout.path,
        )
    subjects = tuple(_asset(one) if one.code.kind in _LOCAL else one for one in own.subjects)
    return _Part(project=own, subjects=subjects, whole=layout.path)


def _asset(subject: Subject) -> Subject:
    """It ships as it lies, and what installs for it is CDK's affair."""
    code = replace(subject.code, prebuilt=True)
    if isinstance(subject, Function):
        return replace(subject, code=code, requirements=None, skip_build=True)
    return replace(subject, code=code, requirements=None, build_method=None)


def _bare(layout: Layout, name: str | None, asked: _Asked) -> _Part:
    """A folder or zip that no template stands in."""
    own = asked.own
    if own is None:
        raise NothingError(
            f"Nothing says which function {layout.path} is: no template lies here, and the policy names no functions.",
            remedy="Describe it under [[functions]] in shipsafe.toml (name, runtime, handler, architecture, code).",
        )
    return _Part(project=own, subjects=tuple(_replaced(one, layout) for one in _whose(layout, name, own)))


def _whose(layout: Layout, name: str | None, own: Project) -> list[Subject]:
    names = [one.name for one in own.subjects]
    if name is not None:
        if name in names:
            return [one for one in own.subjects if one.name == name]
        near = difflib.get_close_matches(name, names, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
        raise ConfigError(f"There is no function and no layer {name!r} in this project.", remedy=remedy, path=own.template)
    if using := [one for one in own.subjects if one.code.kind in _LOCAL and one.code.path == layout.path]:
        return using
    if same := [one for one in own.subjects if one.name == layout.stem]:
        return same
    if len(own.functions) == 1:
        return [*own.functions]
    raise ConfigError(
        f"Nothing says which function {layout.path} is.",
        remedy=f"Write --prebuilt NAME={layout.path}; there are: {', '.join(names)}.",
        path=own.template,
    )


def _replaced(subject: Subject, layout: Layout) -> Subject:
    code = Code(kind=layout.kind, path=layout.path, location=subject.code.location, prebuilt=True,
                source=_folder(subject.code) if subject.code.path != layout.path else subject.code.source)  # fmt: skip
    return replace(subject, code=code, unresolved=tuple(one for one in subject.unresolved if one.field != "code"))
