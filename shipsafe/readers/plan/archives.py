"""What a file of a plan is made of: the folder that `archive_file` zips, the file that an object in a bucket is uploaded from.

    filename = data.archive_file.x.output_path       its source_dir or source_file
    s3_key = aws_s3_object.x.key                     its source, which may be such an archive
    null_resource.sam_metadata_...                   what the module terraform-aws-modules/lambda says of its own archives

The code is the folder, so that findings point at the files that people edit, and shipsafe packs it as it packs every other one.
"""

import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.adapters.shown import shown
from shipsafe.readers.plan.document import Plan, Planned, table
from shipsafe.readers.plan.references import References

_ARCHIVE = "archive_file"
_OBJECTS = ("aws_s3_object", "aws_s3_bucket_object")
_SAM = "sam_metadata_"  # https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/terraform-sam-metadata.html


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where code lies: a path as the plan has it, or why it is not known. `excludes`: what the archive leaves out of the folder."""

    path: str | None = None
    reason: str = ""
    archive: str = ""
    excludes: tuple[str, ...] = ()


class Archives:
    """The files that one plan makes, by path and by address."""

    def __init__(self, plan: Plan, references: References, root: Path) -> None:
        self._references = references
        self._root = root
        self._by_path: dict[str, Source] = {}
        self._objects: dict[str, list[Planned]] = {}
        for archive in plan.of_type(_ARCHIVE):
            if (path := _text(archive, "output_path")) and (source := _of_archive(archive)):
                self._by_path.setdefault(self._plain(path), source)
        for note in plan.of_type("null_resource"):
            self._note(note)
        for uploaded in plan.of_type(*_OBJECTS):
            if key := _text(uploaded, "key"):
                self._objects.setdefault(key, []).append(uploaded)

    def of_file(self, path: str) -> Source:
        """What the file at a path is made of; itself, where the plan does not say."""
        return self._by_path.get(self._plain(path), Source(path=path))

    def of_unknown(self, planned: Planned, argument: str) -> Source | None:
        """What a file is made of whose path is known only after apply, by what the argument refers to."""
        found = [self._of(one) for one in self._references.targets(planned, argument) if isinstance(one, Planned)]
        known = [one for one in found if one is not None]
        return known[0] if len(known) == 1 and len(found) == 1 else None

    def of_object(self, planned: Planned) -> Source | None:
        """What the object in a bucket is made of that a function or layer takes its code from, where the plan uploads it."""
        key = _text(planned, "s3_key")
        if key is None:
            return self.of_unknown(planned, "s3_key")
        bucket = _text(planned, "s3_bucket")
        same = [one for one in self._objects.get(key, ()) if bucket is None or _text(one, "bucket") in (None, bucket)]
        return self._of(same[0]) if len(same) == 1 else None

    def _of(self, planned: Planned) -> Source | None:
        if planned.type == _ARCHIVE:
            return _of_archive(planned)
        if planned.type in _OBJECTS:
            path = _text(planned, "source")
            return self.of_file(path) if path else self.of_unknown(planned, "source")
        return None

    def _note(self, note: Planned) -> None:
        """`sam_metadata`: a resource that does nothing but say which folder an archive is made of."""
        triggers = table(note.values, "triggers")
        built, source = triggers.get("built_output_path"), triggers.get("original_source_code")
        if note.name.startswith(_SAM) and isinstance(built, str) and isinstance(source, str) and not source.lstrip().startswith(("[", "{")):
            self._by_path.setdefault(self._plain(built), Source(path=source, archive=note.address))

    def _plain(self, path: str) -> str:
        relative = os.path.relpath(path, self._root) if path.startswith("/") else path
        return posixpath.normpath(relative)


def _of_archive(archive: Planned) -> Source | None:
    """The folder or file that is zipped; None where it is made of text in the plan itself, and so only the zip can be asked about."""
    for key in ("source_dir", "source_file"):
        if path := _text(archive, key):
            return Source(path=path, archive=archive.address, excludes=tuple(_texts(archive.values.get("excludes"))))
        if archive.unknown.get(key) is True:
            return Source(reason=f"{key} of {shown(archive.address)} is known only after apply")
    return None


def _text(planned: Planned, key: str) -> str | None:
    found = planned.values.get(key)
    return found if isinstance(found, str) and found else None


def _texts(value: Any) -> Iterable[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
