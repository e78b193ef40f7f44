"""A plain folder whose functions are named in the policy: `[[functions]]` in shipsafe.toml."""

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.location import Location
from shipsafe.model.policy import FunctionConfig, Policy
from shipsafe.model.project import Function, Project
from shipsafe.model.reader import Reader
from shipsafe.readers.template.code import local_code
from shipsafe.readers.template.find import templates_below

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,139}")
_ARCHITECTURES = ("x86_64", "arm64")


def claims(path: Path, policy: Policy) -> str | None:
    """A folder, where the policy names functions."""
    return "[[functions]] in the policy" if path.is_dir() and policy.functions else None


def read(path: Path, policy: Policy, overrides: Mapping[str, str]) -> Project:
    """The project that the policy describes.

    Raises:
        ConfigError: a name, architecture or path cannot be used, or parameters are given where no template could take them.
    """
    if overrides:
        raise ConfigError("--parameter-overrides needs a template, and there is none.", remedy="Leave it out.")
    functions = tuple(_function(path, config, policy) for config in policy.functions)
    others = templates_below(path)
    hints = (f"Templates lie below and were not read: {', '.join(map(shown, others))}.",) if others else ()
    return Project(root=path, template=None, functions=functions, hints=hints)


def _function(root: Path, config: FunctionConfig, policy: Policy) -> Function:
    place = config.location or Location(path=policy.path or "shipsafe.toml")
    if not _NAME.fullmatch(config.name):
        what = f"The function name {shown(config.name)!r} cannot be used."
        raise ConfigError(what, remedy="Use letters, digits, `-`, `_` and dots.", path=place.path, line=place.line)
    if config.architecture not in _ARCHITECTURES:
        what = f"Function {config.name} has architecture {shown(config.architecture)!r}."
        raise ConfigError(what, remedy="Lambda has x86_64 and arm64.", path=place.path, line=place.line)
    code = local_code(root, "", config.code or ".", place)
    if isinstance(code, str):
        what = f"The code of function {config.name} cannot be found: {code}."
        raise ConfigError(what, remedy="Name a folder, a file or a zip.", path=place.path, line=place.line)
    return Function(
        name=config.name,
        runtime=config.runtime,
        handler=config.handler,
        code=code,
        location=place,
        architectures=(config.architecture,),
        layers=tuple(layer_arn(arn, text=shown(arn), location=place) for arn in config.layers),
        requirements=posixpath.normpath(config.requirements) if config.requirements else None,
        places=dict.fromkeys(("runtime", "handler", "architectures", "code", "layers"), place),
    )


READER = Reader(id="folder", summary="functions that the policy names", claims=claims, read=read)
