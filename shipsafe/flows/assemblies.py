"""A copy of a folder in which some files are others; it takes its place when it is whole."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.errors import ConfigError

_MANIFEST = "manifest.json"
# Of a CDK that runs, or was killed: they say nothing of a copy.
_LOCKS = shutil.ignore_patterns("synth.lock", "read.*.lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A cloud assembly, where its copy goes, and what is changed in it (POSIX path in it -> content)."""

    source: Path
    out: Path
    changed: Mapping[str, bytes]

    def check(self) -> None:
        """See that nothing would be lost: an older cloud assembly, or an empty folder, gives way to the copy.

        Raises:
            ConfigError: something else lies there.
        """
        if not self.out.exists() and not self.out.is_symlink():
            return
        is_folder = self.out.is_dir() and not self.out.is_symlink()
        if not is_folder or not ((self.out / _MANIFEST).is_file() or not any(self.out.iterdir())):
            raise ConfigError(
                "The copy would replace something that is no cloud assembly.", remedy="Name another folder.", path=str(self.out)
            )

    def write(self) -> None:
        """Make the copy; until it is whole, what lay there stays.

        Raises:
            ConfigError: as `check`.
            IncompleteError: the disk refuses.
        """
        self.check()
        draft = self.out.with_name(f".{self.out.name}.{token_hex(4)}.tmp")
        gone = self.out.with_name(f".{self.out.name}.{token_hex(4)}.old")
        try:
            with disk_errors(self.out):
                # Links stay links, so that a link to a large folder does not become one.
                shutil.copytree(self.source, draft, symlinks=True, ignore=_LOCKS)
                for name, data in self.changed.items():
                    if not (draft / name).parent.resolve().is_relative_to(draft.resolve()):
                        what = f"{name} lies behind a link, and would be written where that leads."
                        raise ConfigError(what, remedy="Run `cdk synth` again.", path=str(self.source))
                    write_atomic(draft / name, data)
                if self.out.exists():
                    self.out.rename(gone)
                draft.rename(self.out)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            if gone.exists() and not self.out.exists():
                gone.rename(self.out)
            shutil.rmtree(gone, ignore_errors=True)
