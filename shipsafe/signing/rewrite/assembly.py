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
_MOST = 500  # stacks nested in one
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
    manifests: int = 0


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
    work.manifests += 1
    if depth > _DEEPEST or work.manifests > _MOST:
        raise ConfigError("Cloud assemblies are nested too deep.", remedy=_REMEDY, path=name)
    stacks: dict[str, list[str]] = {}
    for key, artifact in artifacts.items():
        properties = _table(artifact, "properties")
        if artifact.get("type") == "cdk:cloud-assembly" and isinstance(properties.get("directoryName"), str):
            _manifest(work, posixpath.join(folder, properties["directoryName"]), depth + 1)
        elif artifact.get("type") == "aws:cloudformation:stack":
            stacks[key] = _lists(artifacts, artifact, folder)
    named = [one for lists in stacks.values() for one in lists]
    changed = [_stack(work, key, artifacts[key], folder, lists, frozenset(one for one in lists if named.count(one) > 1))
               for key, lists in stacks.items()]  # fmt: skip
    if any(changed):
        work.changed[name] = _written(document)


def _lists(artifacts: Mapping[str, Any], artifact: Mapping[str, Any], folder: str) -> list[str]:
    """Paths of the lists of what is uploaded for a stack."""
    wanted = artifact.get("dependencies")
    needs = [_table(artifacts, one) for one in (wanted if isinstance(wanted, list) else ()) if isinstance(one, str)]
    files = [_table(one, "properties").get("file") for one in needs if one.get("type") == "cdk:asset-manifest"]
    return [posixpath.join(folder, file) for file in files if isinstance(file, str)]


def _stack(work: _Assembly, key: str, artifact: dict[str, Any], folder: str, lists: Sequence[str], shared: frozenset[str]) -> bool:
    """One stack; whether it was changed. `shared`: lists that other stacks upload from, too."""
    properties = _table(artifact, "properties")
    template = posixpath.normpath(posixpath.join(folder, str(properties.get("templateFile"))))
    documents = {name: _read(work, name) for name in lists}
    stack = _Stack(work=work, key=key, region=_region(artifact), documents=documents)
    keys = stack.change(template)
    if not stack.after:
        return False
    stack.forget_assets([document for path, document in documents.items() if path not in shared])
    for name, document in documents.items():
        work.changed[name] = _written(document)
    url = properties.get("stackTemplateAssetObjectUrl")
    for old, new in keys.items():
        if isinstance(url, str) and url.endswith(f"/{old}"):
            properties["stackTemplateAssetObjectUrl"] = url.removesuffix(old) + new
    return True


@dataclass(slots=True)
class _Stack:
    """One stack with those nested in it.

    `before` and `after`: the texts of its templates, by path; `after` has those alone that change. `keys`: template -> key that it was
    uploaded under -> its new one; None while it is looked at.
    """

    work: _Assembly
    key: str
    region: str | None
    documents: dict[str, dict[str, Any]]
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    keys: dict[str, dict[str, str] | None] = field(default_factory=dict)

    def change(self, template: str) -> dict[str, str]:
        """A template, the nested ones first, because it holds their keys; the old key that it is uploaded under -> the new one."""
        if template in self.keys:
            known = self.keys[template]
            if known is None:
                raise ConfigError("A nested stack contains itself.", remedy=_REMEDY, path=template)
            return known
        if len(self.keys) >= _MOST:
            raise ConfigError(f"There are more than {_MOST} nested stacks.", remedy=_REMEDY, path=template)
        self.keys[template] = None
        text = self.before[template] = read_text(_inside(self.work, template), name=template)
        edits = Edits(text, name=template, json_only=True)
        self.work.remarks += sign_resources(edits, template, self._signed(template))
        resources = edits.root.get("Resources")
        for logical_id, body in resources.fields().items() if resources else ():
            kind, asset = body.get("Type"), body.get("Metadata", "aws:asset:path")
            if kind is not None and kind.text == _STACK and asset is not None:
                child = posixpath.normpath(posixpath.join(posixpath.dirname(template), asset.text))
                for old, new in self.change(child).items():
                    edits.swap(("Resources", logical_id, "Properties"), "TemplateURL", old, new)
        keys: dict[str, str] = {}
        if edits.changed:
            new_text = self.after[template] = edits.result()
            self.work.changed[template] = new_text.encode()
            keys = self._rename(template, hashlib.sha256(new_text.encode()).hexdigest())
        self.keys[template] = keys
        return keys

    def _signed(self, template: str) -> dict[str, Deployable]:
        """What was signed for the resources of a template, by logical id."""
        work = self.work
        known = {logical_id: subject for (path, logical_id), subject in work.subjects.items() if path == template}
        if not any(one.subject in known.values() for one in work.deployables):
            return {}
        chosen = of_one_place(work.deployables, self.region, f"stack {shown(self.key)}")
        return {logical_id: chosen[subject] for logical_id, subject in known.items() if subject in chosen}

    def _rename(self, template: str, digest: str) -> dict[str, str]:
        """Give an uploaded template the key of its new digest, and the old key the new one."""
        renamed: dict[str, str] = {}
        for name, document in self.documents.items():
            files = _table(document, "files")
            for old, entry in list(files.items()):
                source = entry.get("source") if isinstance(entry, dict) else None
                path = source.get("path") if isinstance(source, dict) else None
                if not isinstance(path, str) or posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) != template:
                    continue
                for place in _table(entry, "destinations").values():
                    key = place.get("objectKey") if isinstance(place, dict) else None
                    if isinstance(key, str):
                        place["objectKey"] = posixpath.join(posixpath.dirname(key), digest + posixpath.splitext(key)[1])
                        renamed[key] = place["objectKey"]
                files = document["files"] = {digest if one == old else one: value for one, value in files.items()}
        return renamed

    def forget_assets(self, lists: Sequence[Mapping[str, Any]]) -> None:
        """Take out of lists what no template of the stack uses any more: CDK would upload the unsigned code."""
        texts = ("\n".join(self.before.values()), "\n".join((self.before | self.after).values()))
        for document in lists:
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
    try:
        inside = name.isprintable() and path.resolve().is_relative_to(work.folder)
    except OSError:  # a name that is too long
        inside = False
    if not inside:
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
