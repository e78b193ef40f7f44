"""How long a file has been on its index: most attacks are found, and taken down, within days.

The time is the index's own (PEP 700, `upload-time`). Of several files that the lock admits the youngest counts, because a file can be
added to an old release. What is ours by name and came from our index may be as young as it likes.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shipsafe.adapters.index_page import IndexFile, read_page
from shipsafe.adapters.once import Once
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import Inquiry
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Source
from shipsafe.packing.indexes import Index, Indexes, open_indexes
from shipsafe.policy.document import as_age

TOO_NEW = Rule(
    id="dependencies/too-new",
    severity=Severity.HIGH,
    summary="A distribution was uploaded a shorter time ago than the policy asks for.",
    remedy="Wait, take an older version, or waive it with a reason and an end: a fix that is needed today is one.",
    why="A release by somebody who has stolen an account is mostly found within days, and installed within minutes by everybody who takes "
    "the newest. Waiting costs little, and advisories know of it when the wait is over.",
    bad='[gates.dependencies]\ncooldown = "7d"      # and a release of yesterday in the lock',
    good='[gates.dependencies]\ncooldown = "7d"      # and a release of last month in the lock',
    references=("https://peps.python.org/pep-0700/", "https://docs.astral.sh/uv/reference/settings/#exclude-newer"),
)
_AT_ONCE = 8

_uploads: Once[tuple[object, ...], "_Upload"] = Once()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upload:
    """When the youngest admitted file was uploaded; or why nobody knows."""

    when: datetime | None = None
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """What is too new, of what nobody can say how old it is and why, and why the index could not be asked, or ""."""

    findings: tuple[Finding, ...] = ()
    unknown: tuple[tuple[Distribution, str], ...] = field(default=())
    failure: str = ""


def cooldown(inquiry: Inquiry) -> timedelta | None:
    """How old a file must be, or None."""
    return as_age(inquiry.settings("dependencies").settings.get("cooldown"))


def ask_ages(inquiry: Inquiry) -> Ages:
    """Compare the age of everything with the cooldown, where there is one."""
    least = cooldown(inquiry)
    asked = [one for one in inquiry.staged.distributions if _is_asked(one, inquiry)]
    if not least or not asked:
        return Ages()
    if inquiry.offline:
        return Ages(failure="Offline, nobody can say when a distribution was uploaded. Run without --offline, or without a cooldown.")
    try:
        indexes = open_indexes(inquiry.policy, offline=False)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            uploads = list(pool.map(lambda one: _upload(one, indexes), asked))
    except (ConfigError, IncompleteError) as error:
        return Ages(failure=f"When a distribution was uploaded is not known: {error}")
    findings, unknown = [], []
    for one, upload in zip(asked, uploads, strict=True):
        if upload.when is None:
            unknown.append(
                (one, f"{one.name} {one.version}: {upload.unknown}, so that nobody can say whether it is older than {least.days} days")
            )
        elif inquiry.today - upload.when.date() < least:
            findings.append(_finding(one, upload.when, least, inquiry.subject.subject))
    return Ages(findings=tuple(findings), unknown=tuple(unknown))


def _is_asked(one: Distribution, inquiry: Inquiry) -> bool:
    """What lies in the code has no upload; of what is ours, only what is confused would be worth asking, and that is critical anyway."""
    return one.version is not None and one.source not in (Source.BUNDLED, Source.LOCAL) and not inquiry.policy.is_first_party(one.name)


def _upload(one: Distribution, indexes: Indexes) -> _Upload:
    if one.index is None:
        return _Upload(unknown="the index that it came from is not known")
    index = indexes.at(one.index)
    if index is None:
        return _Upload(unknown=f"{one.index} is no index, and does not say when a file was uploaded")
    return _uploads.get((index.url, one.name, one.version, one.hashes), _asker(one, index))


def _asker(one: Distribution, index: Index) -> Callable[[], _Upload]:
    def ask() -> _Upload:
        return _youngest(read_page(index.url, one.name, auth=index.auth), one, index.url)

    return ask


def _youngest(files: Iterable[IndexFile], one: Distribution, index: str) -> _Upload:
    ours = [file for file in files if _is_of(file, one)]
    if not ours:
        return _Upload(unknown=f"{index} does not list the file")
    times = [file.uploaded for file in ours if file.uploaded is not None]
    if len(times) < len(ours):
        return _Upload(unknown=f"{index} does not say when it was uploaded")
    return _Upload(when=max(times))


def _is_of(file: IndexFile, one: Distribution) -> bool:
    """Whether a file may be the one that was installed: by a hash that was admitted, else by its version."""
    if one.hashes and file.hashes:
        return not file.hashes.isdisjoint(one.hashes)
    return file.is_of(one.name, one.version or "")


def _finding(one: Distribution, when: datetime, least: timedelta, subject: str) -> Finding:
    return Finding(
        rule=TOO_NEW.id,
        subject=subject,
        message=f"{one.name} {one.version} was uploaded on {when.date()}, less than {least.days} days ago.",
        remedy=f"Wait until {(when + least).date()}, take an older version, or waive it with a reason and an end.",
        severity=TOO_NEW.severity,
        location=one.location,
        key=one.name,
        package=one.name,
        version=one.version,
        path=(*one.via, one.name),
    )
