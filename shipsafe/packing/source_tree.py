"""The folder that a build was made from: which of its files a file of the build would be, and whether it still is."""

from dataclasses import dataclass
from pathlib import Path

from shipsafe.adapters.files import sha256_file
from shipsafe.model.tree import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTree:
    """`folder` is absolute; `prefix` is where tools put the code of a layer (`python/`), "" for a function."""

    folder: Path
    prefix: str = ""

    def file(self, path: str) -> Path | None:
        """The file that a path of the build would be, or None."""
        try:
            for inner in dict.fromkeys((path, path.removeprefix(self.prefix))):
                if (self.folder / inner).is_file():
                    return self.folder / inner
        except OSError:  # a folder that may not be searched
            return None
        return None

    def same(self, entry: Entry) -> Path | None:
        """The file that it is, byte for byte, or None."""
        file = self.file(entry.path)
        try:
            return file if file and file.stat().st_size == entry.size and sha256_file(file) == entry.sha256 else None
        except OSError:
            return None
