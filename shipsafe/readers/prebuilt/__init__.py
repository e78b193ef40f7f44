"""What another tool staged, put in the place of the code that a project describes.

    .aws-sam/build     its template names the functions and layers, and decides what is packed
    .serverless        the same, from cloudformation-template-update-stack.json and the zips beside it
    a folder or zip    one function: the one that uses it as its code, that has its name, that `--function` names, or the only one

The project stays what it was: its policy, its parameters, its locks, and the places that people edit. What the project does not say
of a function is not known; nothing is guessed from the files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from shipsafe.adapters.files import relative
from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, LayerRef, Project, Subject
from shipsafe.readers.prebuilt.layout import Layout, Named, look

_LOCAL = (CodeKind.FOLDER, CodeKind.ZIP)

SubjectT = TypeVar("SubjectT", Function, Layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The project without what was built, where it describes itself, and what the command line says."""

    root: Path
    own: Project | None
    policy: Policy
    overrides: Mapping[str, str]
    functions: Sequence[str]


def read_prebuilt(
    path: Path, built: Sequence[Path], *, policy: Policy, overrides: Mapping[str, str], functions: Sequence[str],
    read: Callable[[], Project],
) -> Project:  # fmt: skip
    """The project, with what lies at each `built` in the place of its code.

    Args:
        path: the project's folder or template.
        built: what `--prebuilt` names.
        policy: as for `read_project`.
        overrides: as for `read_project`.
        functions: what `--function` names; says which function a folder or zip without a template is.
        read: reads the project without what was built.

    Raises:
        ConfigError: there is nothing at one of them, nothing says which function it is, or two are the same function.
        NothingError: nothing describes the function.
    """
    root = path.resolve() if path.is_dir() else path.parent.resolve()
    try:
        own: Project | None = read()
    except NothingError:
        own = None  # a template that another tool built may describe them
    asked = _Asked(root=root, own=own, policy=policy, overrides=overrides, functions=functions)
    parts = [_part(look(one, root), asked) for one in built]
    _check_twice(parts)
    subjects = [subject for part in parts for subject in part.subjects]
    layers = _layers_used(subjects, own)
    base = own or parts[0]
    return replace(
        base,
        root=root,
        template=base.template,
        templates=tuple(dict.fromkeys(name for part in (*((own,) if own else ()), *parts) for name in part.templates)),
        functions=tuple(one for one in subjects if isinstance(one, Function)),
        layers=(*(one for one in subjects if isinstance(one, Layer)), *layers),
        hints=tuple(dict.fromkeys(hint for part in parts for hint in part.hints)),
        unresolved=tuple(dict.fromkeys(one for part in parts for one in part.unresolved)),
        prebuilt=tuple(relative(one.resolve(), root) for one in built),
    )


def _part(layout: Layout, asked: _Asked) -> Project:
    """What one place gives: functions and layers whose code lies there."""
    if layout.template is None:
        return _bare(layout, asked)
    # Late, because this module stands among the readers that it would load.
    from shipsafe.readers.cloudformation import read_template  # noqa: PLC0415

    project = read_template(asked.root, layout.template, asked.policy, asked.overrides, assets=layout.assets)
    if not project.subjects and not project.unresolved:
        raise NothingError(f"{layout.template} describes no Lambda function and no layer.", remedy="Build the project first.")
    return replace(
        project,
        functions=tuple(_built_function(one, asked, layout) for one in project.functions),
        layers=tuple(_built_layer(one, asked, layout) for one in project.layers),
    )


def _built_function(built: Function, asked: _Asked, layout: Layout) -> Function:
    """A function of the built template, with the places where people edit it."""
    own = next((one for one in asked.own.functions if one.name == built.name), None) if asked.own else None
    code = _code(built.code, own, layout)
    if own is None:
        return replace(built, code=code, skip_build=True)
    return replace(
        built,
        code=code,
        skip_build=True,
        location=own.location,
        requirements=own.requirements,
        layers=own.layers if _without_places(own.layers) == _without_places(built.layers) else built.layers,
        places=_places(built, own),
    )


def _built_layer(built: Layer, asked: _Asked, layout: Layout) -> Layer:
    own = next((one for one in asked.own.layers if one.name == built.name), None) if asked.own else None
    code = _code(built.code, own, layout)
    return replace(built, code=code, location=own.location, places=_places(built, own)) if own else replace(built, code=code)


def _places(built: Subject, own: Subject) -> dict[str, Location]:
    """Where each field's value stands: in the project's own template where that says the same."""
    same = {name: place for name, place in own.places.items() if getattr(own, name, None) == getattr(built, name, None)}
    return {**built.places, **same}


def _without_places(layers: Sequence[LayerRef]) -> list[LayerRef]:
    return [replace(ref, location=None) for ref in layers]


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


def _bare(layout: Layout, asked: _Asked) -> Project:
    """A folder or zip that no template stands in."""
    subjects = _whose(layout.named, asked)
    assert asked.own is not None  # noqa: S101 - `_whose` has found them there
    return replace(asked.own, functions=tuple(_replaced(one, layout.named) for one in subjects if isinstance(one, Function)),
                   layers=tuple(_replaced(one, layout.named) for one in subjects if isinstance(one, Layer)))  # fmt: skip


def _whose(named: Named, asked: _Asked) -> list[Subject]:
    own = asked.own
    if own is None:
        raise NothingError(
            f"Nothing says which function {named.path} is: no template lies here, and the policy names no functions.",
            remedy="Describe it under [[functions]] in shipsafe.toml (name, runtime, handler, architecture, code).",
        )
    if len(asked.functions) == 1:
        if found := [one for one in own.functions if one.name == asked.functions[0]]:
            return [*found]
    elif using := [one for one in own.subjects if one.code.kind in _LOCAL and one.code.path == named.path]:
        return using
    elif same := [one for one in own.subjects if one.name == named.stem]:
        return same
    elif len(own.functions) == 1:
        return [*own.functions]
    names = ", ".join(one.name for one in own.functions) or "none"
    raise ConfigError(
        f"Nothing says which function {named.path} is.",
        remedy=f"Name it with --function; there are: {names}.",
        path=own.template,
    )


def _replaced(subject: SubjectT, named: Named) -> SubjectT:
    code = Code(kind=named.kind, path=named.path, location=subject.code.location, prebuilt=True,
                source=_folder(subject.code) if subject.code.path != named.path else None)  # fmt: skip
    known = tuple(one for one in subject.unresolved if one.field != "code")
    return replace(subject, code=code, unresolved=known)


def _check_twice(parts: Sequence[Project]) -> None:
    names = [one.name for part in parts for one in part.subjects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"Two of --prebuilt are {twice[0]}.", remedy="Name each function's build once.")


def _layers_used(subjects: Sequence[Subject], own: Project | None) -> list[Layer]:
    """The project's own layers that the functions use and that nobody has built: they are built here."""
    there = {one.name for one in subjects if isinstance(one, Layer)}
    used = {ref.local for one in subjects if isinstance(one, Function) for ref in one.layers if ref.local}
    return [layer for layer in own.layers if layer.name in used - there] if own else []
