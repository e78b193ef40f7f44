"""What a signed zip says about itself, and whether it holds: file -> `Inspected`. Nothing is asked of anybody.

Everything that can be read is read, whatever else is wrong, so that a person sees what they have; any problem is exit 5.
"""

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.errors import ConfigError, ExitCode, IncompleteError, IntegrityError
from shipsafe.signing.layout import LARGEST_ZIP
from shipsafe.signing.roots import trust
from shipsafe.signing.signed_zip import SignedZip, look

_LARGEST = 2 * LARGEST_ZIP  # bytes; nothing larger is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What was found.

    Attributes:
        file: as the user named it.
        size: bytes. sha256: hex. code_sha256: base64, as Lambda reports it; all of the whole file.
        zipped: None where the zip or its signature could not be read; `problems` then says why.
        trust: who vouches for the root (`aws`, `policy`, `local`), or None for nobody.
        problems: sentences; the signature holds where there are none.
        notes: what is odd and proves nothing.
    """

    file: str
    size: int
    sha256: str
    code_sha256: str
    zipped: SignedZip | None
    trust: str | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """5 for any problem, else 0."""
        return ExitCode.INTEGRITY if self.problems else ExitCode.PASS


def inspect(path: Path, *, policy_roots: Collection[str], local_root: str | None, now: datetime) -> Inspected:
    """Look at a zip.

    Args:
        path: the zip.
        policy_roots: hex SHA-256 of root certificates that the policy trusts.
        local_root: likewise, of the local endpoint's, where it is honoured.
        now: UTC; a signature that has expired by then is a problem.

    Raises:
        ConfigError: there is no such file.
        IncompleteError: it cannot be read.
    """
    if not path.is_file():
        what = "This is no file." if path.exists() else "There is no such file."
        raise ConfigError(what, remedy="Name a zip.", path=str(path))
    try:
        with path.open("rb") as file:
            return _look(file, path, policy_roots, local_root, now)
    except OSError as error:
        raise IncompleteError(f"Cannot be read: {error.strerror or error}.", remedy="Check its rights.", path=str(path)) from error


def _look(file: BufferedReader, path: Path, policy_roots: Collection[str], local_root: str | None, now: datetime) -> Inspected:
    size = file.seek(0, 2)
    if size > _LARGEST:
        raise IncompleteError(f"Larger than {_LARGEST // MEBIBYTE} MiB.", remedy="Lambda takes no such zip.", path=str(path))
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").digest()
    problems: list[str] = []
    notes: list[str] = []
    zipped, vouched = None, None
    try:
        zipped = look(file)
    except IntegrityError as error:
        problems.append(str(error))
    signature = zipped.signature if zipped else None
    if zipped and not signature:
        problems.append("This zip carries no signature. Sign it: `shipsafe sign`.")
    if zipped and signature:
        if not zipped.intact:
            problems.append("The contents are not those that were signed: an entry was changed, added, removed, renamed or moved.")
        try:
            vouched = trust(signature.root, policy_roots=policy_roots, local_root=local_root)
        except IntegrityError as error:
            problems.append(str(error))
        if signature.expires <= now:
            problems.append(f"The signature expired on {signature.expires:%Y-%m-%d}. Sign the unsigned zip again.")
        if signature.signed_at > now:
            notes.append("It was signed after the time that this machine's clock shows.")
    return Inspected(
        file=str(path),
        size=size,
        sha256=digest.hex(),
        code_sha256=base64.b64encode(digest).decode(),
        zipped=zipped,
        trust=vouched,
        problems=tuple(problems),
        notes=tuple(notes),
    )
