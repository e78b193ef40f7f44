"""Dependencies, installed by uv from a list that we wrote, then stripped of everything that uv added for a machine.

First the list is resolved for the runtime, which says of every distribution its version, its hashes and its index; then exactly
that is installed, with hashes required. A lock is complete and is installed as it is.
"""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from shipsafe.adapters.process import Run, run
from shipsafe.adapters.uv import PYPI, platform_flags, reason, uv
from shipsafe.errors import IncompleteError
from shipsafe.model.policy import Policy
from shipsafe.packing.locks import Needs
from shipsafe.packing.runtimes import Runtime, platform

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")
_FROM = re.compile(r"^\s+# from (\S+)")
# Files that say how and where something was installed, not what it is.
_MACHINE_FILES = ("direct_url.json", "uv_cache.json", "uv_build.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One distribution that will be installed: version, admitted hashes, and the index it comes from (None: not known)."""

    name: str
    version: str
    hashes: tuple[str, ...]
    index: str | None


def install(
    needs: Needs, target: Path, *, who: str, runtime: Runtime, architecture: str, policy: Policy, workspace: Path, offline: bool,
    run: Run = run,
) -> Mapping[str, Pinned]:  # fmt: skip
    """Install into `target`, and give what was installed by normalised name.

    Raises:
        IncompleteError: it cannot be resolved or installed; with uv's reason, the function, and the file it stands in.
    """
    if not needs.wanted:
        return {}
    sdist = _allowed_sdists(policy)
    python = runtime.python or ""
    flags = platform_flags(python=python, platform=platform(runtime, architecture), index=policy.index,
                           extra=policy.extra_indexes, sdist=())  # fmt: skip
    building = [part for name in sdist for part in ("--no-binary", name)]
    pinned = _from_lock(needs, policy) if needs.complete else None
    for extra in ([], building) if building else ([],):
        try:
            resolved = pinned or _resolve(needs, [*flags, *extra], who=who, workspace=workspace, offline=offline, run=run)
            _install(resolved, target, [*flags, *extra], who=who, needs=needs, workspace=workspace, offline=offline, run=run)
        except IncompleteError:
            if extra or not building:
                raise
            continue  # wheels alone do not do; the policy lets some packages be built
        break
    else:
        resolved = {}
    _strip(target)
    return resolved


def _allowed_sdists(policy: Policy) -> tuple[str, ...]:
    names = policy.gate("dependencies").settings.get("allow-sdist", ())
    return tuple(str(name) for name in names) if isinstance(names, list | tuple) else ()


def _from_lock(needs: Needs, policy: Policy) -> dict[str, Pinned]:
    """A lock, which says everything; without an index of its own a package comes from the policy's only one."""
    only = None if policy.extra_indexes else policy.index or PYPI
    found = {}
    for wanted in needs.wanted:
        version = next(part.version for part in wanted.requirement.specifier)
        found[wanted.name] = Pinned(name=wanted.name, version=version, hashes=wanted.hashes, index=needs.indexes.get(wanted.name, only))
    return found


def _resolve(needs: Needs, flags: list[str], *, who: str, workspace: Path, offline: bool, run: Run) -> dict[str, Pinned]:
    folder = workspace / "resolve"
    folder.mkdir(exist_ok=True)
    (folder / "wanted.txt").write_text("".join(f"{wanted.line()}\n" for wanted in needs.wanted))
    (folder / "constraints.txt").write_text("".join(f"{one.requirement.name}{one.requirement.specifier}\n" for one in needs.constraints))
    arguments = ["pip", "compile", "--quiet", "--generate-hashes", "--emit-index-annotation", "--no-header", *flags]
    arguments += ["--constraint", "constraints.txt", "--output-file", "resolved.txt", "wanted.txt"]
    done = uv(arguments, cwd=folder, offline=offline, run=run)
    if done.returncode:
        raise _failure(reason(done), who, needs, offline=offline)
    resolved = _read_resolved((folder / "resolved.txt").read_text())
    admitted = {wanted.name: wanted.hashes for wanted in needs.wanted}
    if not any(admitted.values()):
        return resolved
    for name in resolved:  # one hash anywhere asks for all of them, as with pip
        if not admitted.get(name):
            raise _failure(f"{name} has no hash, while other requirements have", who, needs, offline=offline)
    return {name: Pinned(name=name, version=one.version, hashes=admitted[name], index=one.index) for name, one in resolved.items()}


def _read_resolved(text: str) -> dict[str, Pinned]:
    """Uv's own list: pins, hashes, and `# from INDEX` below each."""
    found: dict[str, Pinned] = {}
    name = version = ""
    hashes: list[str] = []
    for line in text.splitlines():
        if pin := _PIN.match(line):
            name, version, hashes = canonicalize_name(pin[1]), pin[2], []
        hashes += _HASH.findall(line)
        if source := _FROM.match(line):
            found[name] = Pinned(name=name, version=version, hashes=tuple(hashes), index=source[1])
    return found


def _install(
    pinned: Mapping[str, Pinned],
    target: Path,
    flags: list[str],
    *,
    who: str,
    needs: Needs,
    workspace: Path,
    offline: bool,
    run: Run,
) -> None:
    folder = workspace / "install"
    folder.mkdir(exist_ok=True)
    lines = (f"{one.name}=={one.version}{''.join(f' --hash={digest}' for digest in one.hashes)}\n" for one in pinned.values())
    (folder / "pinned.txt").write_text("".join(lines))
    # Hard links into uv's cache are safe: we replace files that we change, and never write into one.
    arguments = [
        "pip",
        "install",
        "--quiet",
        "--target",
        str(target),
        "--no-deps",
        "--require-hashes",
        "--link-mode",
        "hardlink",
    ]
    done = uv([*arguments, *flags, "-r", "pinned.txt"], cwd=folder, offline=offline, run=run)
    if done.returncode:
        raise _failure(reason(done), who, needs, offline=offline)


def _failure(why: str, who: str, needs: Needs, *, offline: bool) -> IncompleteError:
    """The error for a failed resolution, at the line that names the distribution uv complains about, where there is one."""
    blamed = [wanted for wanted in needs.wanted if re.search(rf"(?<![\w.-]){re.escape(wanted.requirement.name)}(?![\w-])", why)]
    place = blamed[0].location if blamed else needs.wanted[0].location
    if "building from source is disabled" in why or "no usable wheels" in why or "no wheel" in why:
        name = blamed[0].name if blamed else "The package"
        return IncompleteError(
            f"{name} has no wheel for this runtime, only a source distribution, which would run code at build time "
            f"(needed by {who}). {why}.",
            remedy=f'Choose a version with wheels, or allow it with `allow-sdist = ["{name}"]` in [gates.dependencies].',
            path=place.path, line=place.line)  # fmt: skip
    remedy = "Run once without --offline to fill uv's cache." if offline else "Correct the requirement, and run again."
    return IncompleteError(
        f"The dependencies of {who} cannot be installed: {why.rstrip('.')}.", remedy=remedy, path=place.path,
        line=place.line if blamed else None)  # fmt: skip


def _strip(target: Path) -> None:
    """Remove what uv added for this machine, and the RECORD lines that speak of it."""
    (target / ".lock").unlink(missing_ok=True)
    for record in sorted(target.glob("*.dist-info/RECORD")):
        _strip_record(record, target)
    scripts = target / "bin"
    if scripts.is_dir() and not any(scripts.iterdir()):
        scripts.rmdir()


def _strip_record(record: Path, target: Path) -> None:
    rows = list(csv.reader(io.StringIO(record.read_text())))
    kept = []
    for row in rows:
        if not row:
            continue
        path = (target / row[0]).resolve()
        if path.is_relative_to(target.resolve()) and _is_for_machine(path, target):
            path.unlink(missing_ok=True)
        elif not row[0].endswith((".pyc", ".pyo")) and path.exists():
            kept.append(_checked(row, path, record))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(kept))
    replacement = record.with_name("RECORD.new")
    replacement.write_text(text.getvalue())
    replacement.replace(record)


def _is_for_machine(path: Path, target: Path) -> bool:
    """A script that starts the Python of this machine, or a note about this installation."""
    if path.name in _MACHINE_FILES and path.parent.name.endswith(".dist-info"):
        return True
    if path.parent != (target / "bin").resolve() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _checked(row: list[str], path: Path, record: Path) -> list[str]:
    """The row, once the file is what RECORD says; uv does not check, and a wheel may lie.

    Raises:
        IncompleteError: the digest differs.
    """
    expected = row[1] if len(row) > 1 else ""
    if expected.startswith("sha256=") and path.is_file() and path != record:
        digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
        if digest != expected.removeprefix("sha256=").rstrip("="):
            raise IncompleteError(f"{row[0]} is not what its RECORD says.", remedy="Clear uv's cache (`uv cache clean`) and try again.")
    return row
