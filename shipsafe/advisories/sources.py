"""Whichever source the policy names, ready to be asked; or the reason why it is not.

`snapshot` is pulled once when it is missing or too old, `folder` is indexed, `pypi` and `osv` are pip-audit's own services. Nothing
here turns "could not look" into "nothing found".
"""

import atexit
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, partial
from functools import cache as remembered
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

from shipsafe.adapters.cache import Cache
from shipsafe.adapters.files import MEBIBYTE, disk_errors, sha256_file
from shipsafe.adapters.http import fetch
from shipsafe.adapters.once import Once
from shipsafe.advisories.records import Record, is_record
from shipsafe.advisories.snapshot import Snapshot, current, open_store, pull
from shipsafe.advisories.store import Store, build_store, digest_of
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.model.advisory import Advisories, Advisory, AdvisoryInfo, Answer, Pin
from shipsafe.model.policy import AdvisoryPolicy, AdvisorySource
from shipsafe.model.severity import Severity

OSV_URL = "https://api.osv.dev/v1/query"
_IDLE = 30 * 86_400  # seconds
_TIMEOUT = 30  # seconds for one question to a service
_PULL = "Run `shipsafe advisories pull`."


def open_advisories(
    settings: AdvisoryPolicy,
    *,
    cache: Path,
    answers: Cache,
    offline: bool,
    today: date,
    now: Callable[[], datetime],
    say: Callable[[str], None],
    osv_url: str = OSV_URL,
    sleep: Callable[[float], None] = time.sleep,
) -> Advisories:
    """The source that the policy names. `answers` remembers what was indexed.

    Raises:
        IncompleteError: it is missing, too old, or cannot be reached under `--offline`.
    """
    match settings.source:
        case AdvisorySource.SNAPSHOT:
            return _from_snapshot(settings, cache=cache, answers=answers, offline=offline, now=now, say=say, sleep=sleep)
        case AdvisorySource.FOLDER:
            return _from_folder(settings, cache=cache, answers=answers, today=today)
        case AdvisorySource.PYPI | AdvisorySource.OSV:
            if offline:
                raise IncompleteError(f"The policy asks {settings.source} for advisories, and --offline opens no socket.",
                                      remedy="Use the snapshot, or run without --offline.")  # fmt: skip
            return _Service(settings.source, cache, osv_url, sleep)


def records_of(advisories: Advisories) -> Store:
    """The records of a source, to be found by their ids.

    Raises:
        IncompleteError: it is a service, which answers about distributions alone; or its records cannot be read.
    """
    if not isinstance(advisories, _Stored):
        what = f"The policy asks {advisories.info.source} for advisories, which is asked about distributions and not by an id."
        raise IncompleteError(what, remedy='Set source = "snapshot" in `[advisories]`, or ask about a package: "jinja2<3.1.6".')
    return advisories.store()


def _from_snapshot(
    settings: AdvisoryPolicy,
    *,
    cache: Path,
    answers: Cache,
    offline: bool,
    now: Callable[[], datetime],
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> Advisories:
    snapshot = current(cache)
    stale = snapshot is None or _too_old(now() - snapshot.when, settings.max_age)
    if stale and offline:
        none = "There is no advisory snapshot here that was pulled under this user's key"
        what = f"The advisory snapshot is of {snapshot.pulled[:10]}" if snapshot else none
        raise IncompleteError(f"{what}, and --offline opens no socket.", remedy=f"{_PULL[:-1]} where there is a network.")
    if stale:
        say("Pulling advisories: " + (f"the snapshot is of {snapshot.pulled[:10]}." if snapshot else "there is no snapshot yet."))
        snapshot = pull(None, cache=cache, now=now, sleep=sleep)
    if snapshot is None:
        raise IncompleteError("There is no advisory snapshot.", remedy=_PULL)
    return _Stored(partial(open_store, snapshot, cache), _info(snapshot), answers)


def _info(snapshot: Snapshot) -> AdvisoryInfo:
    label = f"OSV snapshot of {snapshot.pulled[:10]}"
    return AdvisoryInfo(source="snapshot", label=label, date=snapshot.pulled, digest=snapshot.digest, records=snapshot.records)


def _too_old(age: timedelta, most: timedelta | None) -> bool:
    return most is not None and age > most


def _from_folder(settings: AdvisoryPolicy, *, cache: Path, answers: Cache, today: date) -> Advisories:
    source = Path(settings.path or "")
    if not source.exists():
        raise IncompleteError(
            "The advisories that the policy names are not there.", remedy="Correct `advisories.source`.", path=str(source)
        )
    if settings.stated_date is None and not settings.unknown_age_allowed:
        raise IncompleteError("The age of the advisories is not known, and this policy wants to know it.",
                              remedy="State it: `source = { path = ..., date = ... }`.", path=str(source))  # fmt: skip
    if settings.stated_date is not None and _too_old(today - settings.stated_date, settings.max_age):
        raise IncompleteError(f"The advisories are of {settings.stated_date}, older than the policy allows.",
                              remedy="Get newer ones and state their date.", path=str(source))  # fmt: skip
    digest = digest_of(source)
    store = cache / "advisories" / f"folder-{digest.removeprefix('sha256:')}.sqlite"
    known: dict[str, Any] | None = answers.recall("advisories", digest)
    with suppress(OSError):
        os.utime(store)  # the day on which it was last wanted
    if known is None or not store.is_file():
        known = _index(source, store, digest)
        answers.keep("advisories", digest, known)
    dated = settings.stated_date.isoformat() if settings.stated_date else None
    label = settings.label or f"OSV records of {dated or 'unknown date'}"
    info = AdvisoryInfo(source="folder", label=label, date=dated, digest=digest, records=known["records"])
    return _Stored(partial(_indexed, source, store, digest, known["sha256"]), info, answers)


def _index(source: Path, store: Path, digest: str) -> dict[str, Any]:
    """Index a folder or zip of that digest; gives how many records it has, and the SHA-256 of the index."""
    draft = store.with_name(f".{secrets.token_hex(8)}.sqlite.tmp")
    with disk_errors(store.parent):
        store.parent.mkdir(parents=True, exist_ok=True)
        try:
            counted = build_store(source, draft)
            if digest_of(source) != digest:  # else answers would be kept under the digest of other advisories than were asked
                raise IncompleteError("The advisories changed while they were read.", remedy="Run again.", path=str(source))
            sha256 = sha256_file(draft)
            draft.replace(store)
            _forget_idle(store.parent)
        finally:
            draft.unlink(missing_ok=True)
    if counted.unreadable:
        raise IncompleteError(f"{counted.unreadable[0]} is not an OSV record.", remedy="Correct or remove it.", path=str(source))
    return {"records": counted.records, "sha256": sha256}


def _forget_idle(folder: Path) -> None:
    """Remove indexes that nobody wanted for long: each change of a folder of advisories leaves one."""
    for old in folder.glob("folder-*.sqlite"):
        with suppress(FileNotFoundError):
            if old.stat().st_mtime < time.time() - _IDLE:
                old.unlink()


def _indexed(source: Path, store: Path, digest: str, sha256: str) -> Store:
    """The index, made again where it is no longer what it was, or where somebody has cleared the cache meanwhile."""
    with suppress(FileNotFoundError):
        if sha256_file(store) == sha256:
            return Store(store)
    _index(source, store, digest)
    return Store(store)


@dataclass(frozen=True, slots=True)
class _Stored:
    """Advisories that lie here. They are opened, and compared with what was indexed, when somebody asks."""

    open: Callable[[], Store]
    info: AdvisoryInfo
    answers: Cache
    _opened: Once[str, Store] = field(default_factory=Once)
    _answers: Once[tuple[Pin, ...], Sequence[Answer]] = field(default_factory=Once)

    def ask(self, pins: Sequence[Pin]) -> Sequence[Answer]:
        """See `Advisories.ask`. Functions with equal dependencies ask the same."""
        return self._answers.get(tuple(pins), lambda: self._ask(pins))

    def _ask(self, pins: Sequence[Pin]) -> Sequence[Answer]:
        question = [self.info.digest, pins, _pip_audit()]
        if (kept := self.answers.recall("audit", question)) is not None:
            return [_answer(one) for one in kept]
        answers = self._audit(pins)
        self.answers.keep("audit", question, answers)
        return answers

    def store(self) -> Store:
        """The records themselves, to be found by id and by package."""
        return self._opened.get("", self.open)

    def _audit(self, pins: Sequence[Pin]) -> Sequence[Answer]:
        from shipsafe.advisories.audit import StoreService, audit  # noqa: PLC0415 - pip-audit takes 200 ms to import

        store = self.store()
        return audit(pins, StoreService(store), store.by_any_id)


@cache
def _pip_audit() -> str:
    return version("pip-audit")


def _answer(kept: Mapping[str, Any]) -> Answer:
    """An answer as the cache gives it back."""
    advisories = (
        Advisory(**{
            **one, "severity": Severity(one["severity"]), "aliases": tuple(one["aliases"]), "references": tuple(one["references"]),
            "fixed_versions": tuple(one["fixed_versions"])})
        for one in kept["advisories"]
    )  # fmt: skip
    return Answer(**{**kept, "pin": Pin(**kept["pin"]), "advisories": tuple(advisories)})


@remembered
def _of_this_run() -> Path:
    """Where pip-audit keeps what it is told over HTTP. It would believe whatever stood there, also that nothing is vulnerable."""
    folder = mkdtemp(prefix="shipsafe-")
    atexit.register(rmtree, folder, ignore_errors=True)
    return Path(folder)


@dataclass(frozen=True, slots=True)
class _Service:
    """One of pip-audit's own services, asked over the network."""

    source: AdvisorySource
    cache: Path
    osv_url: str
    sleep: Callable[[float], None]

    @property
    def info(self) -> AdvisoryInfo:
        """See `Advisories.info`."""
        return AdvisoryInfo(source=str(self.source), label=f"pip-audit's service {self.source}, asked now")

    def ask(self, pins: Sequence[Pin]) -> Sequence[Answer]:
        """See `Advisories.ask`."""
        from pip_audit._service import OsvService, PyPIService  # noqa: PLC0415 - pip-audit takes 200 ms to import

        from shipsafe.advisories.audit import audit  # noqa: PLC0415 - likewise

        folder = _of_this_run()
        if self.source is AdvisorySource.OSV:
            return audit(pins, OsvService(folder, _TIMEOUT, self.osv_url), self._records, sleep=self.sleep)
        return audit(pins, PyPIService(folder, _TIMEOUT), self._local, sleep=self.sleep)

    def _records(self, names: set[str]) -> Sequence[Record]:
        """The records themselves, for their scores; what cannot be had stays unscored."""
        base = self.osv_url.removesuffix("/query") + "/vulns/"
        found = []
        for name in sorted(names):
            try:
                record = json.loads(fetch(base + quote(name, safe=""), limit=8 * MEBIBYTE, sleep=self.sleep))
            except (ShipsafeError, ValueError):
                continue
            if is_record(record):
                found.append(record)
        return found

    def _local(self, names: set[str]) -> Sequence[Record]:
        """PyPI gives no scores; a snapshot that lies here may have them."""
        snapshot = current(self.cache)
        return open_store(snapshot, self.cache).by_any_id(names) if snapshot else []
