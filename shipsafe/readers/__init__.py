"""One file per place a function can be described; each ends in its READER constant and gives the same Project.

A reader is found because its file stands in this folder. What readers share lies in the package `template`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.policy import Policy
from shipsafe.model.project import Project, Subject
from shipsafe.model.reader import Reader


@cache
def all_readers() -> tuple[Reader, ...]:
    """Every reader, in the order of its name."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module.READER for module in modules)


def read_project(path: Path, *, policy: Policy, overrides: Mapping[str, str]) -> Project:
    """Read the functions and layers that a folder or a template file describes.

    Args:
        path: a folder with `template.yaml`, `.yml` or `.json` at its root, a template file, a synthesized CDK application, a
            Terraform plan or the folder that it lies in, or a folder for which the policy names functions.
        policy: for its functions and parameters.
        overrides: `--parameter-overrides`, which win over the policy's parameters, which win over `samconfig.toml`. Pseudo
            parameters (`AWS::Region`) may be among them.

    Raises:
        ConfigError: the path is missing, a template is broken or hostile, parameters do not fit, two places describe functions,
            or two names differ only in case.
        NothingError: nothing describes a function or a layer.
    """
    try:
        if not path.exists():
            raise ConfigError("There is no such folder or file.", remedy="Check the path.", path=str(path))
        # A template may be a link: the project is where the link lies.
        place = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
        claims = [(reader, what) for reader in all_readers() if (what := reader.claims(place, policy))]
    except OSError as error:
        raise ConfigError(f"Cannot be read: {error.strerror}.", remedy="Check its rights.", path=str(path)) from error
    if place.is_file() and len(claims) > 1:
        claims = [claim for claim in claims if not claim[0].gives_way]
    if not claims:
        raise _nothing(place, path)
    if len(claims) > 1:
        places = " and ".join(what for _, what in claims)
        raise ConfigError(f"Two places describe functions: {places}.", remedy="Keep one, or name the template file.", path=str(path))
    project = claims[0][0].read(place, policy, overrides)
    check_names(project.subjects)
    if not project.subjects and not project.unresolved:
        raise NothingError(
            f"{project.template or path} describes no Lambda function and no layer.",
            remedy=" ".join(project.hints) or "Name another template.",
        )
    return project


def _nothing(place: Path, path: Path) -> NothingError:
    from shipsafe.readers.prebuilt.layout import build_first  # noqa: PLC0415 - only needed here
    from shipsafe.readers.template.find import templates_below  # noqa: PLC0415 - only needed here

    before = [said for reader in all_readers() if reader.before and (said := reader.before(place))]
    before += build_first(place)
    if before:
        remedy = " ".join(before)
    elif others := templates_below(place):
        remedy = f"Name one of those below: {', '.join(others)}."
    else:
        remedy = "Name a template, or name functions under [[functions]] in shipsafe.toml."
    return NothingError("No template lies here, and the policy names no functions.", remedy=remedy, path=str(path))


def check_names(subjects: tuple[Subject, ...]) -> None:
    """Names become names of files, on disks that may not tell `Orders` from `orders`."""
    seen: dict[str, Subject] = {}
    for subject in subjects:
        other = seen.setdefault(subject.name.casefold(), subject)
        if other is not subject:
            raise ConfigError(
                f"{other.name} ({other.location}) and {subject.name} have names that are the same, or differ only in case.",
                remedy="Rename one: both become files in one folder.",
                path=subject.location.path,
                line=subject.location.line,
            )
