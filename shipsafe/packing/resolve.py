"""What will be installed: of every distribution its version, its hashes and its index, asked of uv.

A lock is complete and is taken as it is; only where packages can come from several places is uv asked which one has it. What a lock
claims of indexes is never taken for where a package came from.

A name that an index claims comes from there and from nowhere else. uv can be told so only of names that a list asks for itself, so
every claimed name that turns up on the way is added to the list, until none comes from elsewhere.
"""

import json
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from shipsafe.adapters.index_page import read_links
from shipsafe.adapters.process import Run
from shipsafe.errors import IncompleteError
from shipsafe.model.policy import Policy
from shipsafe.packing.builds import Builds
from shipsafe.packing.indexes import is_own, is_url, open_indexes
from shipsafe.packing.job import BOUND, Job, NeedsBuildError, Pinned
from shipsafe.packing.needs import Needs
from shipsafe.packing.runtimes import Runtime

_BLOCK = re.compile(r"^(?=\S)", re.MULTILINE)  # one for each distribution
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)")
_HASH = re.compile(r"--hash=(sha(?:256|384|512):[0-9a-f]+)")
_FROM = re.compile(r"^\s+# from (\S+)", re.MULTILINE)
_VIA = re.compile(r"^\s+#(?: via|  ) +([^\s(]+)", re.MULTILINE)
_COMPILE = ("pip", "compile", "--generate-hashes", "--emit-index-annotation", "--annotation-style", "split", "--no-header")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What will be installed, by normalised name, and which of it has to be built from source because the policy lets it."""

    pinned: Mapping[str, Pinned] = field(default_factory=dict)
    build: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    """One distribution as uv resolved it. `via` holds who asked for it; a list of ours is no distribution's name there."""

    pinned: Pinned
    via: frozenset[str]


def resolve(
    needs: Needs, *, who: str, runtime: Runtime, architecture: str, policy: Policy, workspace: Path, offline: bool, run: Run,
    cache: Path | None = None,
) -> Resolution:  # fmt: skip
    """Say of every distribution its version, its hashes and its index. A lock that tells all that is taken at its word.

    Raises:
        IncompleteError: it cannot be resolved; with uv's reason, the function, and the file it stands in.
    """
    if not needs.wanted:
        return Resolution()
    job = Job(needs=needs, who=who, runtime=runtime, architecture=architecture, policy=policy, workspace=workspace,
              indexes=open_indexes(policy, offline=offline), offline=offline, run=run, cache=cache)  # fmt: skip
    if needs.complete and not policy.extra_indexes and not policy.find_links:
        return Resolution(pinned=_from_lock(job))
    builds = Builds(job)
    pinned = _checked(job, _with_builds(job, builds))
    built = {name: one.pinned for name, one in builds.made.items() if name in pinned}
    return Resolution(pinned={**pinned, **built}, build=tuple(sorted(built)))


def _from_lock(job: Job) -> dict[str, Pinned]:
    """What is locked comes from the index that claims it, or else from the only other one."""
    return {
        one.name: Pinned(name=one.name, version=one.version, hashes=one.hashes, index=job.indexes.for_name(one.name, job.policy)[-1].url)
        for one in job.needs.wanted
        if one.version is not None
    }


def _with_builds(job: Job, builds: Builds) -> dict[str, Pinned]:
    """Try with wheels alone, and build from source only what has none and what the policy lets be built."""
    while True:
        try:
            return _resolve(job, builds)
        except NeedsBuildError as error:
            builds.add_allowed(error)


def _resolve(job: Job, builds: Builds) -> dict[str, Pinned]:
    """Resolve, and again while a claimed name comes from elsewhere than its index."""
    asked = {one.name for one in job.needs.wanted}
    roots = _discovered(job, builds) - asked
    while True:
        found = _compile(job, builds, roots)
        strangers = {name for name, one in found.items() if _is_stranger(job, builds, one.pinned)}
        if not strangers:
            return {name: one.pinned for name, one in found.items() if name in _reached(found, asked)}
        if known := sorted(strangers & (asked | roots)):
            raise _stranger(job, found[known[0]].pinned)
        roots |= strangers


def _is_stranger(job: Job, builds: Builds, one: Pinned) -> bool:
    return one.name not in builds.made and not is_own(one.index, one.name, job.policy)


def _stranger(job: Job, one: Pinned) -> IncompleteError:
    """It was bound to its index and comes from elsewhere all the same: nothing like that ships, whatever uv's reason is."""
    own, place = job.policy.claimant(one.name), job.place(one.name)
    return IncompleteError(
        f"{one.name} {one.version} would come from {one.index}, and only the index {own.name if own else ''} may have it.",
        remedy="Correct [indexes] in shipsafe.toml.", path=place.path, line=place.line)  # fmt: skip


def _discovered(job: Job, builds: Builds) -> set[str]:
    """Claimed names that are needed on the way, as far as they can be known in advance; nothing of this resolution is kept.

    Without it, uv would take an older release of something whose newer one needs a claimed name that it cannot find.
    """
    if not job.policy.named_indexes or job.needs.complete:
        return set()
    flags = [part for one in job.indexes.named.values() for part in ("--index", f"{one.name}={one.url}")]
    try:
        found = _uv(job, "discover", {"wanted.txt": _lines(job)}, builds, ["wanted.txt", *flags])
    except IncompleteError:
        return set()  # the resolution itself will say what is wrong
    return {name for name in found if job.policy.claimant(name)}


def _compile(job: Job, builds: Builds, roots: AbstractSet[str]) -> dict[str, _Resolved]:
    """Ask uv, with each claimed name that is asked for, and `roots`, bound to its index."""
    files = {"wanted.txt": _lines(job)}
    claimed = sorted({one.name for one in job.needs.wanted if job.policy.claimant(one.name)} | roots)
    if claimed:
        files["pyproject.toml"] = _bound(job, builds, claimed)
    return _uv(job, "resolve", files, builds, [name for name in files if name != "constraints.txt"])


def _uv(job: Job, step: str, files: Mapping[str, str], builds: Builds, more: list[str]) -> dict[str, _Resolved]:
    constraints = "".join(f"{one.requirement.name}{one.requirement.specifier}\n" for one in job.needs.constraints)
    arguments = [*_COMPILE, *(["--no-deps"] if job.needs.complete else []), *job.indexes.flags(), *builds.flags()]
    arguments += ["--constraint", "constraints.txt", "--output-file", "resolved.txt", *more]
    folder = job.uv(step, {**files, "constraints.txt": constraints}, arguments)
    return _read((folder / "resolved.txt").read_text(encoding="utf-8"), job, builds)


def _lines(job: Job) -> str:
    """What is wanted. Hashes are compared when uv has said what it found, and again when that is installed."""
    return "".join(f"{one.line().partition(' --hash=')[0]}\n" for one in job.needs.wanted)


def _bound(job: Job, builds: Builds, names: Iterable[str]) -> str:
    """A project of ours that binds names to their indexes, or to what was built of them: the only way in which uv can be told."""
    sources = []
    for name in names:
        own, built = job.policy.claimant(name), builds.made.get(name)
        kind, place = ("path", str(built.wheel)) if built else ("index", own.name if own else "")
        sources.append(f"{name} = {{ {kind} = {json.dumps(place)} }}\n")
    tables = (
        f"[[tool.uv.index]]\nname = {json.dumps(one.name)}\nurl = {json.dumps(one.url)}\nexplicit = true\n"
        for one in job.indexes.named.values()
    )
    head = f'[project]\nname = "{BOUND}"\nversion = "0"\ndependencies = {json.dumps(sorted(names))}\n'
    return f"{head}[tool.uv.sources]\n{''.join(sources)}{''.join(tables)}"


def _read(text: str, job: Job, builds: Builds) -> dict[str, _Resolved]:
    """Uv's own list: pins, hashes, `# via WHO` and `# from INDEX` below each."""
    found: dict[str, _Resolved] = {}
    for block in filter(str.strip, _BLOCK.split(text)):
        pinned = _pinned(block, job, builds)
        found[pinned.name] = _Resolved(pinned=pinned, via=frozenset(canonicalize_name(who) for who in _VIA.findall(block)))
    return found


def _pinned(block: str, job: Job, builds: Builds) -> Pinned:
    if built := next((one for one in builds.made.values() if block.startswith(str(one.wheel))), None):
        return built.pinned
    pin, source = _PIN.match(block), _FROM.search(block)
    if pin is None:
        raise IncompleteError(f"uv's list cannot be read at {block.splitlines()[0][:80]!r}.", remedy="Install shipsafe again.")
    name = canonicalize_name(pin[1])
    index = job.indexes.shown(source[1]) if source else None
    return Pinned(name=name, version=pin[2], hashes=tuple(_HASH.findall(block)), index=index)


def _reached(found: Mapping[str, _Resolved], asked: AbstractSet[str]) -> set[str]:
    """Names that what was asked for needs; what was only added to bind it to its index is left out where nobody needs it."""
    reached = set(asked)
    while more := {name for name, one in found.items() if name not in reached and one.via & reached}:
        reached |= more
    return reached


def _checked(job: Job, resolved: dict[str, Pinned]) -> dict[str, Pinned]:
    """The same with the hashes that the list admits; one hash anywhere in it asks for all of them, as with pip."""
    admitted = job.needs.admitted()
    if not any(admitted.values()):
        return {name: one if one.hashes else _hashed(job, one) for name, one in resolved.items()}
    for name in resolved:
        if not admitted.get(name):
            place = job.place(name)
            raise IncompleteError(
                f"{name}, which {job.who} needs, has no hash, while other requirements have: with hashes, every distribution must "
                "stand in the list with its own.",
                remedy="Make the list again: `uv pip compile --generate-hashes`.", path=place.path, line=place.line)  # fmt: skip
    return {name: replace(one, hashes=tuple(sorted(admitted[name]))) for name, one in resolved.items()}


def _hashed(job: Job, one: Pinned) -> Pinned:
    """The same with the hashes of its page: uv tells those of indexes and folders alone."""
    page = job.indexes.links.get(one.index or "", "")
    files = read_links(page) if is_url(page) and not job.offline else ()
    hashes = {digest for file in files if file.is_of(one.name, one.version) for digest in file.hashes}
    if not hashes:
        place = job.place(one.name)
        raise IncompleteError(
            f"Nobody says a hash of {one.name} {one.version}, which {job.who} needs and which comes from {one.index}.",
            remedy="Lock it with its hash, or let the page say it (`#sha256=...`).", path=place.path, line=place.line)  # fmt: skip
    return replace(one, hashes=tuple(sorted(hashes)))
