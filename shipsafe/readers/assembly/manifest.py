"""`manifest.json` of a cloud assembly -> its stacks, those of the assemblies nested in it (stages) among them."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.json_file import read_json
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError

NAME = "manifest.json"
_LIMIT = 32 * MEBIBYTE
_DEEPEST = 5  # assemblies inside each other; CDK makes two levels of them
_MOST = 500  # stacks of an application
_REMEDY = "Run `cdk synth` again."
_STACK = "aws:cloudformation:stack"
_NESTED = "cdk:cloud-assembly"
_ASSETS = "cdk:asset-manifest"
_UNKNOWN = "unknown-"  # CDK's `unknown-account` and `unknown-region`


@dataclass(frozen=True, slots=True, kw_only=True)
class StackArtifact:
    """One stack of the application. Paths are POSIX and relative to the project's root.

    Attributes:
        id: of the artifact, `ProdOrdersStack2EDBF9CE` for a stack of a stage.
        display: as people know it, `Prod/OrdersStack`.
        manifest: the manifest that names it.
        template: its template.
        assets: the upload lists that it depends on.
        region, account: where it goes, None where that is decided at deployment.
        parameters: values that the application itself gives.
        metadata: construct path -> entries (`type`, `data`, `trace`), as CDK writes them.
    """

    id: str
    display: str
    manifest: str
    template: str
    stack_name: str
    assets: tuple[str, ...] = ()
    region: str | None = None
    account: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_assembly(root: Path, folder: str) -> list[StackArtifact]:
    """The stacks of the assembly in a folder, relative to the root, in the order of the manifests.

    Raises:
        ConfigError: a manifest is broken or hostile, leads out of the assembly, or there are too many stacks.
    """
    walk = _Walk(root, folder)
    walk.read(folder, 0)
    return walk.stacks


class _Walk:
    """One way through an assembly and those nested in it."""

    def __init__(self, root: Path, top: str) -> None:
        self._root = root
        self._top = top
        self._seen: set[str] = set()
        self.stacks: list[StackArtifact] = []

    def read(self, folder: str, depth: int) -> None:
        name = posixpath.normpath(posixpath.join(folder, NAME))
        if depth > _DEEPEST or name in self._seen:
            raise ConfigError("Cloud assemblies are nested too deep, or in each other.", remedy=_REMEDY, path=name)
        self._seen.add(name)
        artifacts = self._artifacts(name)
        lists = {
            key: path
            for key, artifact in artifacts.items()
            if artifact.get("type") == _ASSETS and (path := self._inside(folder, _text(_table(artifact, "properties"), "file"), name))
        }
        for key, artifact in artifacts.items():
            properties = _table(artifact, "properties")
            if artifact.get("type") == _STACK:
                self._stack(key, artifact, folder, lists)
            elif artifact.get("type") == _NESTED and (inner := self._inside(folder, _text(properties, "directoryName"), name)):
                self.read(inner, depth + 1)

    def _artifacts(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        document = read_json(self._root / name, limit=_LIMIT, shown=name)
        artifacts = document.get("artifacts") if isinstance(document, dict) else None
        if not isinstance(artifacts, dict) or not isinstance(document.get("version"), str):
            raise ConfigError("This is not the manifest of a cloud assembly.", remedy=_REMEDY, path=name)
        return {key: artifact for key, artifact in artifacts.items() if isinstance(artifact, dict)}

    def _stack(self, key: str, artifact: Mapping[str, Any], folder: str, lists: Mapping[str, str]) -> None:
        name = posixpath.normpath(posixpath.join(folder, NAME))
        properties = _table(artifact, "properties")
        template = self._inside(folder, _text(properties, "templateFile"), name)
        if template is None:
            raise ConfigError(f"Stack {shown(key)} names no template.", remedy=_REMEDY, path=name)
        if len(self.stacks) >= _MOST:
            raise ConfigError(f"There are more than {_MOST} stacks.", remedy="Name one of the assemblies inside.", path=name)
        wanted = artifact.get("dependencies")
        needs = wanted if isinstance(wanted, list) else []
        place = (_text(artifact, "environment") or "").removeprefix("aws://").split("/")
        account, region = place if len(place) == 2 else ("", "")  # noqa: PLR2004 - aws://ACCOUNT/REGION
        self.stacks.append(
            StackArtifact(
                id=key,
                display=_text(artifact, "displayName") or key,
                manifest=name,
                template=template,
                stack_name=_text(properties, "stackName") or key,
                assets=tuple(lists[one] for one in needs if isinstance(one, str) and one in lists),
                region=_known(region),
                account=_known(account),
                parameters={one: text for one, text in _table(properties, "parameters").items() if isinstance(text, str)},
                metadata=self._metadata(artifact, folder, name),
            )
        )

    def _metadata(self, artifact: Mapping[str, Any], folder: str, name: str) -> Mapping[str, Any]:
        """What stands in the manifest, and in the file beside it where newer versions of CDK put it."""
        found = dict(_table(artifact, "metadata"))
        path = self._inside(folder, _text(artifact, "additionalMetadataFile"), name)
        if path and (self._root / path).is_file():
            more = read_json(self._root / path, limit=_LIMIT, shown=path)
            found |= more if isinstance(more, dict) else {}
        return found

    def _inside(self, folder: str, text: str | None, name: str) -> str | None:
        """A path that a manifest names, relative to the root; None where it names none."""
        if not text:
            return None
        path = posixpath.normpath(posixpath.join(folder, text))
        top = (self._root / self._top).resolve()
        if not text.isprintable() or not (self._root / path).resolve().is_relative_to(top):
            raise ConfigError(f"{shown(text)} leads out of the cloud assembly.", remedy=_REMEDY, path=name)
        return path


def _table(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _known(text: str) -> str | None:
    return text if text and not text.startswith(_UNKNOWN) else None
