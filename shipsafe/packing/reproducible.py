"""Pack a second time, in a child process and in other circumstances, and compare.

Other path, umask, time zone, locale, hash seed, order of files and clock (every file's date). What differs in the result depends on
the machine, and then the digest that is signed would, too.
"""

import json
import os
import random
import shutil
import sys
from pathlib import Path

from shipsafe.adapters.process import Run, run
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.artifact import Archive
from shipsafe.model.tree import Entry, Origin, StagedTree

# Midnight of 29 February 2000 in a zone fifteen hours away: a clock that nobody has today.
_OTHER = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "4242",
          "SOURCE_DATE_EPOCH": "951782400"}  # fmt: skip
_DATE = 951782400


def check_reproducible(tree: StagedTree, archive: Archive, *, workspace: Path, run: Run = run) -> None:
    """Pack `tree` again in other circumstances.

    Raises:
        IntegrityError: the bytes differ.
        IncompleteError: the second packing could not be done.
    """
    copy = workspace / "another place" / "ö" / "tree"
    request = workspace / "request.json"
    shutil.copytree(tree.root, copy)
    for file in copy.rglob("*"):
        os.utime(file, (_DATE, _DATE))
    entries = [
        {"path": entry.path, "mode": entry.mode, "size": entry.size, "sha256": entry.sha256,
         "source": str(copy / entry.source.relative_to(tree.root))}
        for entry in tree.entries
    ]  # fmt: skip
    random.Random(4242).shuffle(entries)  # noqa: S311 - an order, not a secret
    request.write_text(json.dumps({"subject": tree.subject, "root": str(copy), "entries": entries}))
    again = workspace / "again.zip"
    done = run([sys.executable, "-P", "-m", "shipsafe.packing.reproducible", str(request), str(again)], cwd=workspace, env=_OTHER)
    if done.returncode:
        raise IncompleteError(f"{tree.subject} could not be packed again: {done.stderr.strip()[-400:]}.", remedy="Try again.")
    if done.stdout.strip() != archive.sha256:
        raise IntegrityError(
            f"{tree.subject} packs to {archive.sha256} here and to {done.stdout.strip()} in other circumstances.",
            remedy="Report this as a bug.",
        )


def _pack_as_asked(request: Path, destination: Path) -> str:
    """The child's part: pack what the request lists, under another umask; gives the SHA-256."""
    from shipsafe.packing.archive import pack  # noqa: PLC0415 - only the child packs here

    os.umask(0o077)
    asked = json.loads(request.read_text())
    entries = tuple(
        Entry(path=one["path"], mode=one["mode"], size=one["size"], sha256=one["sha256"], source=Path(one["source"]), origin=Origin.CODE)
        for one in asked["entries"]
    )  # fmt: skip
    tree = StagedTree(subject=asked["subject"], root=Path(asked["root"]), entries=entries)
    return pack(tree, destination).sha256


if __name__ == "__main__":
    sys.stdout.write(_pack_as_asked(Path(sys.argv[1]), Path(sys.argv[2])) + "\n")
