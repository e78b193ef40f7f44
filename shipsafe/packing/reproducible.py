"""`--check-reproducible`: pack a tree a second time in other circumstances, and compare the bytes.

The second time a child process copies the tree to another path, in the reverse order of files, under another umask, time zone,
locale, PYTHONHASHSEED, SOURCE_DATE_EPOCH and clock (as Python code reads it; the files' times are changed, too), lists it in
another order and packs it. What differs is named by the first member that differs. Choosing the code's files and installing the
dependencies are not repeated: this asks whether *packing* depends on the machine.
"""

import json
import os
import shutil
import stat
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.adapters.process import Run, run
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.model.artifact import Archive
from shipsafe.model.tree import Entry, Origin, StagedTree
from shipsafe.packing.archive import pack

_UMASK = 0o077
_LATER = 4_000_000_000  # seconds since 1970: a day in 2096
_ENVIRONMENT = {
    "TZ": "Pacific/Chatham",  # 12:45 ahead of UTC
    "LC_ALL": "C.UTF-8",
    "LANG": "tr_TR.UTF-8",
    "PYTHONHASHSEED": "4711",
    "SOURCE_DATE_EPOCH": "946684800",
}
_TIMEOUT = 900.0


def check_reproducible(tree: StagedTree, archive: Archive, *, workspace: Path, run: Run = run) -> Mapping[str, str]:
    """Pack again in other circumstances; gives the digests of the second archive.

    Args:
        tree: what was packed.
        archive: the first archive.
        workspace: a private folder for this check; made when it is not there.
        run: starts the child.

    Raises:
        IntegrityError: the second archive differs.
        IncompleteError: the child could not do it.
    """
    with disk_errors(workspace):
        workspace.mkdir(parents=True, exist_ok=True)
    question, answer = workspace / "question.json", workspace / "answer.json"
    again = workspace / "elsewhere, with a long name" / "again.zip"
    entries = [[entry.path, entry.mode, entry.size, entry.sha256, str(entry.source)] for entry in reversed(tree.entries)]
    write_atomic(question, json.dumps({"subject": tree.subject, "entries": entries, "archive": str(again)}).encode())
    # -P: nothing is imported from the working folder.
    argv: list[str | Path] = [sys.executable, "-P", "-m", "shipsafe.packing.reproducible", question, answer]
    finished = run(argv, cwd=workspace, env=_ENVIRONMENT, timeout=_TIMEOUT)
    if finished.returncode != 0 or not answer.is_file():
        cause = (finished.stderr.strip().splitlines() or [f"code {finished.returncode}"])[-1]
        raise IncompleteError(f"{tree.subject} could not be packed a second time: {cause}", remedy="Run the same command again.")
    second: dict[str, str] = json.loads(answer.read_text(encoding="utf-8"))
    if second["sha256"] != archive.sha256 or second["content_digest"] != archive.content_digest:
        raise IntegrityError(
            f"{tree.subject} is not reproducible: packed again, its zip has SHA-256 {second['sha256'][:12]}... instead of "
            f"{archive.sha256[:12]}...; the first difference is in {_first_difference(archive.path, again)}.",
            remedy="Report this as a bug of shipsafe, with both archives.",
        )
    return second


def _first_difference(one: Path, other: Path) -> str:
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        for ours, theirs in zip(first.infolist(), second.infolist(), strict=False):
            if _facts(ours) != _facts(theirs):
                return ours.filename
        return "the number of members" if len(first.infolist()) != len(second.infolist()) else "a member's data"


def _facts(info: zipfile.ZipInfo) -> tuple[object, ...]:
    return (info.filename, info.date_time, info.external_attr, info.CRC, info.file_size, info.compress_size, info.header_offset)


def _again(question: Mapping[str, Any]) -> dict[str, str]:
    """The child's part: copy the tree as somebody else would have it, and pack the copy."""
    os.umask(_UMASK)
    time.tzset()
    time.time = lambda: float(_LATER)
    archive = Path(question["archive"])
    root = archive.with_name("tree")
    entries = []
    for number, (path, mode, size, sha256, source) in enumerate(question["entries"]):
        copy = root / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        copy.chmod(0o700 if mode & stat.S_IXUSR else 0o600)
        os.utime(copy, (_LATER - number, _LATER - number))
        entries.append(Entry(path=path, mode=mode, size=size, sha256=sha256, source=copy, origin=Origin.CODE))
    packed = pack(StagedTree(subject=question["subject"], root=root, entries=tuple(entries)), archive)
    return {"sha256": packed.sha256, "content_digest": packed.content_digest}


def _main(question: Path, answer: Path) -> int:
    try:
        done = _again(json.loads(question.read_text(encoding="utf-8")))
        write_atomic(answer, json.dumps(done).encode())
    except (ShipsafeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2])))
