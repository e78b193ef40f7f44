"""What lies where `--prebuilt` points: a build of SAM's, one of the Serverless Framework's, or a folder or zip alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipsafe.adapters.files import relative
from shipsafe.errors import ConfigError
from shipsafe.model.project import CodeKind
from shipsafe.readers.template.find import root_template

_SAM = ".aws-sam"
_SERVERLESS = "cloudformation-template-update-stack.json"
_ARCHIVES = (".zip", ".jar")
_MOST = 10_000  # files beside a template of the Serverless Framework's


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A folder or zip: its path relative to the project's root, and its name without the ending."""

    path: str
    stem: str
    kind: CodeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What was found.

    Attributes:
        named: the folder or zip itself.
        template: the template that describes what lies there, relative to the project's root, or None.
        assets: object key to path, for a template that speaks of buckets.
        source: the folder that everything in it was made of, where the tool has only one, or None.
    """

    named: Named
    template: str | None = None
    assets: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


def look(path: Path, root: Path) -> Layout:
    """See what lies at a path.

    Raises:
        ConfigError: nothing that could be built code, or the output of a tool that has a reader of its own.
    """
    place = path.resolve()
    try:
        return _look(place, root, str(path))
    except OSError as error:
        raise ConfigError(f"Cannot be read: {error.strerror}.", remedy="Check its rights.", path=str(path)) from error


def _look(place: Path, root: Path, shown: str) -> Layout:
    if place.is_file():
        if place.suffix.lower() not in _ARCHIVES:
            raise ConfigError("Neither a folder nor a zip.", remedy="Name what the other tool staged.", path=shown)
        return Layout(named=Named(path=relative(place, root), stem=place.stem, kind=CodeKind.ZIP))
    if not place.is_dir():
        raise ConfigError("There is nothing staged.", remedy="Build it first, with `sam build` for example.", path=shown)
    if place.name == _SAM and (place / "build").is_dir():
        place /= "build"
    named = Named(path=relative(place, root), stem=place.name, kind=CodeKind.FOLDER)
    if (place / _SERVERLESS).is_file():
        zips = _zips(place, root, shown)
        # One zip for all functions is made of the whole project; zips of their own may be made of parts of it.
        return Layout(named=named, template=relative(place / _SERVERLESS, root), assets=zips, source="." if len(zips) == 1 else None)
    if (place / "manifest.json").is_file() and any(place.glob("*.assets.json")):
        raise ConfigError("A synthesized CDK app.", remedy="Name it as the project: its assets are known from there.", path=shown)
    template = root_template(place)
    if template is not None and place == root:
        raise ConfigError("The project itself.", remedy="Name what another tool made of it: .aws-sam/build, for example.", path=shown)
    return Layout(named=named, template=relative(template, root) if template else None)


def _zips(folder: Path, root: Path, shown: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for count, file in enumerate(sorted(folder.iterdir())):
        if count >= _MOST:
            raise ConfigError(f"More than {_MOST} files.", remedy="Clean the folder and build again.", path=shown)
        if file.suffix == ".zip" and file.is_file():
            found[file.name] = relative(file, root)
    return found
