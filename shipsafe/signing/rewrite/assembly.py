"""`cdk.out`, turned to what was signed: templates, the lists of what CDK uploads, and the manifests that name both.

CDK uploads what its lists name, and it would upload the unsigned code. So the code of a signed function becomes a literal bucket, key
and version in its template, and leaves the list when nothing else uses it. A template is uploaded, too, under a key made of its digest,
and skipped where that key is there already: so a changed template gets the key of its new digest, in the list, in the manifest and in
the template that it is nested in. Shapes: the `cloud-assembly-schema` package of https://github.com/aws/aws-cdk-cli
"""

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.json_file import read_json
from shipsafe.adapters.shown import shown
from shipsafe.adapters.template_text import read_text
from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.deployable import Deployable, of_one_place
from shipsafe.signing.rewrite.edits import Edits
from shipsafe.signing.rewrite.template import sign_resources

_MANIFEST = "manifest.json"
_LIMIT = 32 * MEBIBYTE
_DEEPEST = 5
_REMEDY = "Run `cdk synth` again."
_STACK = "AWS::CloudFormation::Stack"

Place = tuple[str, str]


@dataclass(slots=True)
class _Assembly:
    """One assembly on its way: texts and documents that were changed, by path relative to the folder."""

    folder: Path
    subjects: Mapping[Place, str]
    deployables: Sequence[Deployable]
    changed: dict[str, bytes] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def rewrite_assembly(
    folder: Path, subjects: Mapping[Place, str], deployables: Sequence[Deployable]
) -> tuple[dict[str, bytes], list[str]]:  # fmt: skip
    """The files of a cloud assembly that change (POSIX paths in it -> content), and remarks.

    Args:
        folder: the assembly, absolute.
        subjects: (template in it, logical id) -> `function:ID` or `layer:ID`.
        deployables: what was signed; each stack takes what was signed for its region.

    Raises:
        ConfigError: nothing signed is described there, a stack's region has none, or a template cannot be rewritten faithfully.
    """
    work = _Assembly(folder=folder, subjects=subjects, deployables=deployables)
    _manifest(work, "", 0)
    if not work.changed:
        raise ConfigError("Nothing that was signed is described there.", remedy="Name the cdk.out that the release was built from.",
                          path=str(folder))  # fmt: skip
    return work.changed, work.remarks


def _manifest(work: _Assembly, folder: str, depth: int) -> None:
    """One manifest, and those of the assemblies nested in it (stages)."""
    name = posixpath.join(folder, _MANIFEST)
    document = _read(work, name)
    artifacts = _table(document, "artifacts")
    if depth > _DEEPEST:
        raise ConfigError("Cloud assemblies are nested too deep.", remedy=_REMEDY, path=name)
    changed = False
    for key, artifact in artifacts.items():
        properties = _table(artifact, "properties")
        if artifact.get("type") == "cdk:cloud-assembly" and isinstance(properties.get("directoryName"), str):
            _manifest(work, posixpath.join(folder, properties["directoryName"]), depth + 1)
        elif artifact.get("type") == "aws:cloudformation:stack":
            wanted = [one for one in artifact.get("dependencies", ()) if isinstance(one, str)]
            lists = [
                posixpath.join(folder, file)
                for one in wanted
                if _table(artifacts, one).get("type") == "cdk:asset-manifest"
                and isinstance(file := _table(_table(artifacts, one), "properties").get("file"), str)
            ]
            changed |= _stack(work, key, artifact, folder, lists)
    if changed:
        work.changed[name] = _written(document)


def _stack(work: _Assembly, key: str, artifact: dict[str, Any], folder: str, lists: Sequence[str]) -> bool:
    """One stack; whether its artifact was changed."""
    properties = _table(artifact, "properties")
    template = posixpath.normpath(posixpath.join(folder, str(properties.get("templateFile"))))
    documents = {name: _read(work, name) for name in lists}
    stack = _Stack(work=work, key=key, region=_region(artifact), folder=folder, documents=documents)
    if not stack.change(template, 0):
        return False
    stack.forget_assets()
    for name, document in documents.items():
        work.changed[name] = _written(document)
    url = properties.get("stackTemplateAssetObjectUrl")
    for old, new in stack.renamed.items():
        if isinstance(url, str) and url.endswith(f"/{old}"):
            properties["stackTemplateAssetObjectUrl"] = url.removesuffix(old) + new
    return True


@dataclass(slots=True)
class _Stack:
    """One stack with those nested in it. `renamed`: key of an uploaded template -> its new one."""

    work: _Assembly
    key: str
    region: str | None
    folder: str
    documents: dict[str, dict[str, Any]]
    renamed: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    def change(self, template: str, depth: int) -> bool:
        """A template, the nested ones first, because it holds their keys; whether it was changed."""
        work = self.work
        if depth > _DEEPEST * 2:
            raise ConfigError("Stacks are nested too deep.", remedy=_REMEDY, path=template)
        text = read_text(_inside(work, template), name=template)
        edits = Edits(text, name=template, json_only=True)
        known = {logical_id: subject for (path, logical_id), subject in work.subjects.items() if path == template}
        signed: dict[str, Deployable] = {}
        if any(one.subject in known.values() for one in work.deployables):
            chosen = of_one_place(work.deployables, self.region, f"stack {shown(self.key)}")
            signed = {logical_id: chosen[subject] for logical_id, subject in known.items() if subject in chosen}
        work.remarks += sign_resources(edits, template, signed)
        resources = edits.root.get("Resources")
        for logical_id, body in resources.fields().items() if resources else ():
            kind, asset = body.get("Type"), body.get("Metadata", "aws:asset:path")
            if kind is None or kind.text != _STACK or asset is None:
                continue
            child = posixpath.normpath(posixpath.join(posixpath.dirname(template), asset.text))
            known_keys = set(self.renamed)
            if self.change(child, depth + 1):
                for old in self.renamed.keys() - known_keys:
                    edits.swap(("Resources", logical_id, "Properties"), "TemplateURL", old, self.renamed[old])
        new = edits.result()
        self.before.append(text)
        self.after.append(new)
        if not edits.changed:
            return False
        work.changed[template] = new.encode()
        self._rename(template, hashlib.sha256(new.encode()).hexdigest())
        return True

    def _rename(self, template: str, digest: str) -> None:
        """Give an uploaded template the key of its new digest."""
        for name, document in self.documents.items():
            files = _table(document, "files")
            for old in list(files):
                entry = files[old]
                source = entry.get("source") if isinstance(entry, dict) else None
                path = source.get("path") if isinstance(source, dict) else None
                if not isinstance(path, str) or posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) != template:
                    continue
                for place in _table(entry, "destinations").values():
                    key = place.get("objectKey") if isinstance(place, dict) else None
                    if isinstance(key, str):
                        place["objectKey"] = posixpath.join(posixpath.dirname(key), digest + posixpath.splitext(key)[1])
                        self.renamed[key] = place["objectKey"]
                document["files"] = {digest if one == old else one: value for one, value in files.items()}
                files = document["files"]

    def forget_assets(self) -> None:
        """Take out of the lists what no template of the stack uses any more: CDK would upload the unsigned code."""
        texts = ("\n".join(self.before), "\n".join(self.after))
        for document in self.documents.values():
            files = _table(document, "files")
            for identity in list(files):
                entry = files[identity]
                places = _table(entry, "destinations").values() if isinstance(entry, dict) else ()
                keys = [place["objectKey"] for place in places if isinstance(place, dict) and isinstance(place.get("objectKey"), str)]
                names = [posixpath.basename(key) for key in keys if key]
                used = [any(name in text for name in names) for text in texts]
                if used == [True, False]:
                    del files[identity]


def _read(work: _Assembly, name: str) -> dict[str, Any]:
    """A document; one that an earlier stack has changed is read as that stack left it."""
    name = posixpath.normpath(name)
    if name in work.changed:
        document: Any = json.loads(work.changed[name])
    else:
        document = read_json(_inside(work, name), limit=_LIMIT, shown=name)
    if not isinstance(document, dict):
        raise ConfigError("This is not a document of a cloud assembly.", remedy=_REMEDY, path=name)
    return document


def _inside(work: _Assembly, name: str) -> Path:
    path = work.folder / name
    if not path.resolve().is_relative_to(work.folder):
        raise ConfigError(f"{shown(name)} leads out of the cloud assembly.", remedy=_REMEDY, path=str(work.folder))
    return path


def _written(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode()  # as CDK's `JSON.stringify(x, undefined, 2)`


def _region(artifact: Mapping[str, Any]) -> str | None:
    """`aws://ACCOUNT/REGION` -> the region, None where it is decided at deployment."""
    region = str(artifact.get("environment", "")).rpartition("/")[2]
    return region if region and not region.startswith("unknown-") else None


def _table(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
