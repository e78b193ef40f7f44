"""What lies where `--prebuilt` points: a build of SAM's, of the Serverless Framework's or of CDK's, or a folder or zip alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipsafe.adapters.files import relative
from shipsafe.errors import ConfigError
from shipsafe.model.project import CodeKind
from shipsafe.readers.template.find import root_template

_SAM = ".aws-sam"
_SERVERLESS = "cloudformation-template-update-stack.json"
_ASSEMBLY = "cdk.out"  # the file that holds the version of a cloud assembly
_MANIFEST = "manifest.json"
_SERVICE = ("yml", "yaml", "json", "js", "ts")
_ARCHIVES = (".zip", ".jar")
_MOST = 10_000  # files beside a template of the Serverless Framework's


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What was found.

    Attributes:
        path: the folder or zip, relative to the project's root; `stem` its name without the ending.
        kind: FOLDER or ZIP.
        template: the template that describes what lies there, relative to the project's root, or None.
        assembly: the manifest of a synthesized CDK application, likewise.
        assets: object key to path, for a template that speaks of buckets.
        source: the folder that everything in it was made of, where the tool has only one, or None.
    """

    path: str
    stem: str
    kind: CodeKind
    template: str | None = None
    assembly: str | None = None
    assets: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


def look(path: Path, root: Path, *, alone: bool) -> Layout:
    """See what lies at a path.

    Args:
        path: what the command line names.
        root: the project's root, absolute.
        alone: it is one function or layer, whatever else a template in it says.

    Raises:
        ConfigError: nothing that could be built code.
    """
    try:
        return _look(path.resolve(), root, str(path), alone=alone)
    except OSError as error:
        raise ConfigError(f"Cannot be read: {error.strerror}.", remedy="Check its rights.", path=str(path)) from error


def _look(place: Path, root: Path, shown: str, *, alone: bool) -> Layout:
    if place.is_file():
        if place.suffix.lower() not in _ARCHIVES:
            raise ConfigError("Neither a folder nor a zip.", remedy="Name what the other tool staged.", path=shown)
        return Layout(path=relative(place, root), stem=place.stem, kind=CodeKind.ZIP)
    if not place.is_dir():
        raise ConfigError("There is nothing staged.", remedy="Build it first, with `sam build` for example.", path=shown)
    if place == root:
        raise ConfigError("The project itself.", remedy="Name what another tool made of it: .aws-sam/build, for example.", path=shown)
    if place.name == _SAM and (place / "build").is_dir():
        place /= "build"
    found = Layout(path=relative(place, root), stem=place.name, kind=CodeKind.FOLDER)
    if alone:
        return found
    if (place / _SERVERLESS).is_file():
        zips = _zips(place, root, shown)
        # One zip for all functions is made of the whole project; zips of their own may be made of parts of it.
        return replace(found, template=relative(place / _SERVERLESS, root), assets=zips, source="." if len(zips) == 1 else None)
    if (place / _ASSEMBLY).is_file() and (place / _MANIFEST).is_file():
        return replace(found, assembly=relative(place / _MANIFEST, root))
    template = root_template(place)
    return replace(found, template=relative(template, root) if template else None)


def build_first(folder: Path) -> tuple[str, ...]:
    """What makes a folder readable of whose tool shipsafe reads only the build."""
    there = any((folder / f"serverless.{ending}").is_file() for ending in _SERVICE)
    return ("Run `serverless package`, then `shipsafe build --prebuilt .serverless`.",) if there else ()


def _zips(folder: Path, root: Path, shown: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for count, file in enumerate(sorted(folder.iterdir())):
        if count >= _MOST:
            raise ConfigError(f"More than {_MOST} files.", remedy="Clean the folder and build again.", path=shown)
        if file.suffix == ".zip" and file.is_file():
            found[file.name] = relative(file, root)
    return found
