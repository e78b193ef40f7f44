"""OSV records as they come: read with care, and asked whether they speak of a version.

The algorithm is OSV's ("Evaluation", in the OSV schema): a version is affected when it is listed, or when it lies in a range. The
data has dirt, which is survived and never guessed about: versions that are not PEP 440, events that are not, unnormalised names.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from shipsafe.model.severity import Severity

_BANDS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
_WORDS = {"CRITICAL": 9.0, "HIGH": 7.0, "MODERATE": 4.0, "MEDIUM": 4.0, "LOW": 0.1}
Record = Mapping[str, Any]


def is_record(value: object) -> bool:
    """Whether parsed JSON has the shape that we rely on."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        return False
    affected = value.get("affected", [])
    return isinstance(affected, list) and all(isinstance(one, dict) for one in affected)


def packages(record: Record) -> Iterator[str]:
    """Normalised names of the PyPI packages that a record speaks of."""
    for affected in record.get("affected", ()):
        if name := _name(affected):
            yield name


def _name(affected: Mapping[str, Any]) -> str | None:
    package = affected.get("package")
    if not isinstance(package, dict) or str(package.get("ecosystem", "")).partition(":")[0] != "PyPI":
        return None
    return canonicalize_name(str(package.get("name", ""))) or None


def ids(record: Record) -> set[str]:
    """Its id and its aliases."""
    aliases = record.get("aliases")
    return {record["id"], *(str(alias) for alias in (aliases if isinstance(aliases, list) else ()))}


def is_withdrawn(record: Record) -> bool:
    """Withdrawn records say that there is nothing."""
    return bool(record.get("withdrawn"))


def is_malicious(record: Record) -> bool:
    """Whether it says that the package itself is an attack (`MAL-...`, as id or alias)."""
    return any(name.startswith("MAL-") for name in ids(record))


def affects(record: Record, name: str, version: str) -> bool:
    """Whether a record speaks of that version of that package."""
    return any(_name(affected) == name and _is_affected(affected, version) for affected in record.get("affected", ()))


def _is_affected(affected: Mapping[str, Any], version: str) -> bool:
    listed = affected.get("versions")
    if isinstance(listed, list) and _is_listed(version, listed):
        return True
    wanted = parsed(version)
    return wanted is not None and any(_in_range(wanted, one) for one in _ranges(affected))


def _is_listed(version: str, listed: Iterable[object]) -> bool:
    """The same text, or the same version written differently (`1.0` and `1.0.0`)."""
    wanted = parsed(version)
    return any(version == str(one) or (wanted is not None and parsed(str(one)) == wanted) for one in listed)


def _ranges(affected: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for one in _list(affected.get("ranges")):
        if isinstance(one, dict) and one.get("type") in ("ECOSYSTEM", "SEMVER") and isinstance(one.get("events"), list):
            yield one


def _in_range(wanted: Version, one: Mapping[str, Any]) -> bool:
    """Walk the events in order of version: `introduced` switches on, `fixed` off, `last_affected` off behind it."""
    vulnerable = False
    for at, kind in sorted(_events(one), key=lambda event: (event[0] is not None, event[0] or _ZERO, _TURN[event[1]])):
        if kind == "introduced" and (at is None or wanted >= at):
            vulnerable = True
        elif (kind == "fixed" and at is not None and wanted >= at) or (kind == "last_affected" and at is not None and wanted > at):
            vulnerable = False
    return vulnerable


_ZERO = Version("0")
_TURN = {"fixed": 0, "last_affected": 0, "introduced": 1}


def _events(one: Mapping[str, Any]) -> Iterator[tuple[Version | None, str]]:
    """Version and kind of each event; `introduced: 0` is None, before everything. Events that are not PEP 440 say nothing."""
    for event in one["events"]:
        for kind in ("introduced", "fixed", "last_affected"):
            if not isinstance(event, dict) or kind not in event:
                continue
            text = str(event[kind])
            if kind == "introduced" and text == "0":
                yield None, kind
            elif (at := parsed(text)) is not None:
                yield at, kind


def fixed_versions(record: Record, name: str) -> set[Version]:
    """Versions that fix it, as its ranges say."""
    return {
        at
        for affected in record.get("affected", ())
        if _name(affected) == name
        for one in _ranges(affected)
        for at, kind in _events(one)
        if kind == "fixed" and at is not None
    }


@lru_cache(maxsize=65536)  # a record lists hundreds of versions, and its neighbours list the same
def parsed(text: str) -> Version | None:
    """A PEP 440 version, or None."""
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of more digits than Python reads
        return None


def score(record: Record) -> float | None:
    """The highest CVSS base score of a record (v2, v3 or v4), or None when it has none that can be read."""
    from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # noqa: PLC0415 - only where something was found

    kinds = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
    rated = [*_list(record.get("severity"))]
    for affected in record.get("affected", ()):
        rated += _list(affected.get("severity"))
    found = []
    for one in rated:
        kind = kinds.get(str(one.get("type"))) if isinstance(one, dict) else None
        if kind is None:
            continue
        try:
            found.append(float(kind(str(one.get("score", ""))).scores()[0]))
        except (CVSSError, ValueError, KeyError, IndexError, ArithmeticError):
            continue  # a vector that cannot be read rates nothing
    return max(found, default=None)


def word_score(record: Record) -> float | None:
    """The lower bound of GitHub's word for it (`database_specific.severity`), for records without a vector."""
    specific = record.get("database_specific")
    return _WORDS.get(str(specific.get("severity", "")).upper()) if isinstance(specific, dict) else None


def severity_of(value: float | None) -> Severity:
    """The CVSS band of a base score; None is unscored, and so is 0.0, which rates no impact."""
    if value is None:
        return Severity.UNSCORED
    return next((severity for bound, severity in _BANDS if value >= bound), Severity.LOW)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
