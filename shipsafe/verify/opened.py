"""A request, opened: the verifier's policy and what it names, so that a verification can be asked for in one line.

    with open_request(policy=Path("shipsafe.toml")) as request:
        found = verify_release(Path("dist"), request)

Unless `online` is given, no socket is opened but to a bucket of evidence that was named.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from shipsafe.adapters.cache import Cache, open_cache
from shipsafe.adapters.files import relative
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.advisories import open_advisories
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.store import Store, store_of
from shipsafe.model.advisory import Advisories
from shipsafe.model.baseline import Baseline
from shipsafe.model.policy import Policy
from shipsafe.packing.publish import MANIFEST
from shipsafe.policy import load
from shipsafe.policy.baseline import read_baseline
from shipsafe.policy.vex import read_documents
from shipsafe.verify.request import VerifyRequest


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(_text: str) -> None:
    """Say nothing."""


@contextmanager
def open_request(
    *,
    policy: Path | None = None,
    verified: Sequence[Path] = (),
    release: Path | None = None,
    manifest_digest: str | None = None,
    bundles: Sequence[Path] = (),
    evidence: str | None = None,
    vex: Sequence[Path] = (),
    local_root: str | None = None,
    online: bool = False,
    live: bool = False,
    jobs: int = 2,
    now: Callable[[], datetime] = _now,
    say: Callable[[str], None] = _silent,
) -> Generator[VerifyRequest]:
    """Read the policy, and open what it names.

    Args:
        policy: the verifier's own; None for the one that is found from the current folder.
        verified: what is going to be verified; a policy that is found inside of it is refused.
        release: a release to find evidence of zips in.
        manifest_digest: `sha256:HEX` that the manifest of every release has to be that is read, or None.
        bundles: further files of envelopes.
        evidence: where evidence is kept, a folder or `s3://BUCKET/PREFIX`; None for the folder that the policy names, if it names one.
        vex: further VEX documents.
        local_root: hex SHA-256 of the local endpoint's root, where it is honoured.
        live: AWS is asked anyway, so that a bucket that the policy names is looked at, too.
        online: fetch advisories that are missing or too old, and policies by URL that are not cached.
        jobs: how many zips are looked at at once.
        now: gives the time, UTC.
        say: takes remarks for people while something is fetched.

    Raises:
        ConfigError: the policy, the baseline or a VEX document cannot be used, or the policy lies in what is verified.
        IntegrityError: a policy that it extends is another one.
        IncompleteError: a policy that it extends cannot be had, or the place of evidence cannot be looked at.
    """
    here, cache = Path.cwd(), cache_dir()
    moment = now()  # asked once: policy, advisories and verdict are of one day
    today = moment.date()
    found = load(here, explicit=policy, offline=not online, cache=cache, fetch=fetch, today=today)
    file = (here / found.path).resolve() if found.path else None
    if policy is None and file is not None:
        _check_place(file, (*verified, *([release] if release else [])))
    home = file.parent if file else here
    _, statements = read_documents(found, tuple(vex), root=home)
    answers = open_cache(cache)
    try:
        yield VerifyRequest(
            policy=found,
            now=moment,
            release=release,
            manifest_digest=manifest_digest,
            bundles=tuple(bundles),
            store=_store(found, here, evidence, live=live),
            local_root=local_root,
            advisories=_advisories(found, cache, answers, today, online=online, now=now, say=say),
            baseline=_baseline(found, home, today),
            statements=statements,
            jobs=jobs,
        )
    finally:
        answers.flush()
        answers.close()


def _check_place(file: Path, verified: Sequence[Path]) -> None:
    """A policy that is found in a release is the release's, not the verifier's.

    Raises:
        ConfigError: it is.
    """
    folders = {one if one.is_dir() else one.parent for one in verified if one.is_dir() or (one.parent / MANIFEST).exists()}
    if any(file.is_relative_to(folder.resolve()) for folder in folders):
        what = "The policy that is found here lies in what is verified, where whoever can change the one can change the other."
        raise ConfigError(what, remedy="Name yours with --policy.", path=str(file))


def _store(policy: Policy, here: Path, told: str | None, *, live: bool) -> Store | None:
    """What was named; offline, of what the policy names, only a folder: a bucket would be asked over the network."""
    if told is None and (policy.evidence is None or (policy.evidence.startswith("s3:") and not live)):
        return None
    return store_of(policy, folder=here, told=told)


def _advisories(
    policy: Policy, cache: Path, answers: Cache, today: date, *, online: bool, now: Callable[[], datetime], say: Callable[[str], None]
) -> Advisories | IncompleteError:  # fmt: skip
    """Today's advisories, or why nobody can ask them."""
    try:
        return open_advisories(policy.advisories, cache=cache, answers=answers, offline=not online, today=today, now=now, say=say)
    except IncompleteError as error:
        return error


def _baseline(policy: Policy, home: Path, today: date) -> Baseline | None:
    if policy.baseline is None:
        return None
    file = Path(policy.baseline)
    return read_baseline(file, shown=relative(file, home), today=today)
