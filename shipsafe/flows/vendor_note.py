"""`vendored.json`, beside the copy of a layer: what it is a copy of, and where it is published. For people; nothing is decided by it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.layers import LayerContent
from shipsafe.adapters.files import write_atomic
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import ConfigError
from shipsafe.model.signing import SignedArtifact

_NAME = "vendored.json"
_LARGEST = 1024 * 1024  # bytes


def note(folder: Path, layer: LayerContent, done: Sequence[SignedArtifact], published: Mapping[str, LayerContent]) -> Path:
    """Write what this run published, beside what others did for other targets; gives the file.

    Args:
        folder: of the copy.
        layer: the original.
        done: what was signed.
        published: the versions, by the target's name.

    Raises:
        IncompleteError: the disk refuses.
    """
    file = folder / _NAME
    original = {"arn": layer.arn, "code_sha256": layer.code_sha256, "profile_version": layer.profile_version or None}
    now = [
        {"target": one.target, "arn": published[one.target].arn, "code_sha256": one.code_sha256, "job": one.job,
         "profile_version": one.profile_version} for one in done if one.target in published
    ]  # fmt: skip
    before = [one for one in _noted(file, original) if one.get("target") not in published]
    document = {"schema_version": "1.0", "original": original, "published": [*before, *now]}
    write_atomic(file, (json.dumps(document, indent=2) + "\n").encode())
    return file


def _noted(file: Path, original: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What earlier runs noted of the same original."""
    if not file.is_file() or file.is_symlink():
        return []
    try:
        told = read_json(file, limit=_LARGEST, shown=str(file))
    except ConfigError:
        return []
    noted = told.get("published") if isinstance(told, dict) and told.get("original") == original else None
    return [one for one in noted if isinstance(one, dict)] if isinstance(noted, list) else []
