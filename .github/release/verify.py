# ruff: noqa: INP001 - a script, not a package
"""Let an installed shipsafe verify the attestation of the very wheel that it was installed from.

    python -I .github/release/verify.py WHEEL shipsafe-0.1.0.intoto.jsonl --policy .github/release/trusted.toml --commit SHA

Every envelope has to be signed by whom the policy trusts as a builder, and to be about this wheel; SBOM and provenance have to be there;
the provenance has to name the commit; and every file that is installed has to be the file of the wheel, nothing less and nothing more.
Exit 0 when all of that holds, 5 when it does not, 4 when it could not be looked at.
"""

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path

from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.evidence.envelope import read_bundle
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import AttestPolicy, Predicate, Statement
from shipsafe.policy import load

_WANTED = (Predicate.SBOM, Predicate.PROVENANCE)
_REMEDY = "Do not use this wheel: find out where it comes from."
_INSTALLERS = (
    "INSTALLER",
    "RECORD",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
    "uv_build.json",
)  # what an installer adds or rewrites


def main() -> int:
    """Say what holds; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--policy", type=Path, required=True)
    parser.add_argument("--commit", required=True)
    asked = parser.parse_args()
    now = datetime.now(UTC)
    try:
        policy = load(Path.cwd(), explicit=asked.policy, offline=True, cache=cache_dir(), fetch=fetch, today=now.date())
        told = list(_attested(asked.wheel, asked.bundle, asked.commit, policy.attest, now))
        told.append(_installed(asked.wheel))
    except ShipsafeError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    sys.stdout.write("".join(f"{line}\n" for line in told))
    return 0


def _attested(wheel: Path, bundle: Path, commit: str, trusted: AttestPolicy, now: datetime) -> Iterator[str]:
    """A sentence for each statement that is wanted, signed and about this wheel.

    Raises:
        IntegrityError: one is missing, is about something else, or nobody who is trusted signed it.
    """
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    found: dict[str, Statement] = {}
    for envelope in read_bundle(bundle.read_bytes(), shown=str(bundle)):
        said = vouched(envelope, trusted, at=now.date(), shown=str(bundle))
        if not said.by:
            raise IntegrityError("Nobody vouches for what is stated.", remedy="Name a policy that trusts somebody.", path=str(bundle))
        if sha256 not in (one.digests["sha256"] for one in said.statement.subjects):
            raise IntegrityError(f"A statement is not about this wheel, whose sha256 is {sha256}.", remedy=_REMEDY, path=str(bundle))
        found[said.statement.kind] = said.statement
        yield f"{said.statement.kind}: about sha256:{sha256}, signed by {', '.join(said.by)}"
    if missing := [kind for kind in _WANTED if kind not in found]:
        raise IntegrityError(f"Nothing is stated of {', '.join(missing)}.", remedy=_REMEDY, path=str(bundle))
    sources = found[Predicate.PROVENANCE].predicate["buildDefinition"]["resolvedDependencies"]
    if commit not in (one.get("digest", {}).get("gitCommit") for one in sources):
        raise IntegrityError(f"It was not built from commit {commit}.", remedy=_REMEDY, path=str(bundle))


def _installed(wheel: Path) -> str:
    """That what is installed is what is in the wheel.

    Raises:
        IntegrityError: a file is missing, is another one, or is not of the wheel.
    """
    here = distribution("shipsafe")
    with zipfile.ZipFile(wheel) as archive:
        wanted = {name: hashlib.sha256(archive.read(name)).digest() for name in archive.namelist() if not name.endswith("/")}
    theirs = {str(path) for path in here.files or ()}
    info = next(name.partition("/")[0] for name in wanted if ".dist-info/" in name)
    added = {f"{info}/{name}" for name in _INSTALLERS}
    for name, digest in wanted.items():
        if name in added:
            continue
        path = Path(str(here.locate_file(name)))
        if not path.is_file() or hashlib.sha256(path.read_bytes()).digest() != digest:
            raise IntegrityError("It is not the file of the wheel.", remedy=_REMEDY, path=name)
    more = {name for name in theirs - wanted.keys() - added if not name.endswith(("/bin/shipsafe", ".pyc"))}
    if more:
        raise IntegrityError("It is installed, and not of the wheel.", remedy=_REMEDY, path=min(more))
    return f"{len(wanted)} files of {wheel.name} are what is installed, and nothing else"


if __name__ == "__main__":
    sys.exit(main())
