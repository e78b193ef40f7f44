"""Small projects, written to a folder and read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from shipsafe.model.policy import FunctionConfig, Policy
from shipsafe.model.project import Function, LayerRef, Project
from shipsafe.readers import read_project


def policy(parameters: Mapping[str, str] | None = None, functions: tuple[FunctionConfig, ...] = ()) -> Policy:
    """A policy that says nothing but this."""
    return Policy(path="shipsafe.toml", digest="sha256:0", parameters=parameters or {}, functions=functions)


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Files by relative path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def read(
    folder: Path,
    template: str,
    *,
    files: Mapping[str, str] | None = None,
    overrides: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Project:
    """The project whose `template.yaml` is that text."""
    write(folder, {"template.yaml": template, **(files or {})})
    return read_project(folder, policy=policy(parameters), overrides=overrides or {})


def refused(
    folder: Path, template: str, *, overrides: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
) -> ConfigError:
    """The error that reading ends in."""
    with pytest.raises(ConfigError) as caught:
        read(folder, template, overrides=overrides, files=files)
    return caught.value


def function(project: Project, name: str = "F") -> Function:
    """The function of that name."""
    return next(function for function in project.functions if function.name == name)


def handler(folder: Path, expression: str, *, head: str = "", **given: Mapping[str, str]) -> str | None:
    """What a handler that is written with that expression comes to."""
    return _with_handler(folder, expression, head, given).handler


def reason(folder: Path, expression: str, *, head: str = "", **given: Mapping[str, str]) -> str:
    """Why a handler that is written with that expression is not known."""
    found = _with_handler(folder, expression, head, given)
    assert found.handler is None
    return next(entry.reason for entry in found.unresolved if entry.field == "handler")


def _with_handler(folder: Path, expression: str, head: str, given: Mapping[str, Mapping[str, str]]) -> Function:
    text = f"{head}\nResources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Handler: {expression}\n"
    return function(read(folder, text, overrides=given.get("overrides"), parameters=given.get("parameters")))


def layer(folder: Path, expression: str, *, head: str = "", more: str = "", overrides: Mapping[str, str] | None = None) -> LayerRef:
    """The one layer of a function that is written with that expression."""
    text = f"{head}\nResources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Layers:\n        - {expression}\n{more}"
    (ref,) = function(read(folder, text, overrides=overrides)).layers
    return ref
