"""Everything that a policy lets pass: waivers, statements of VEX documents, entries of the baseline. As values, so that commits compare.

    allowed = allowances(read, "shipsafe.toml", "", today=today)
    set(allowed.found) - set(earlier.found)      # what has come since

Only files are looked at, through `read`, which may give those of another commit. What is allowed is known by what it says: moved to
another line or file, or reworded, it is the same; let to last longer, or to speak of more, it is another.
"""

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy
from shipsafe.policy.baseline import parse_baseline
from shipsafe.policy.document import Document, as_date, parse
from shipsafe.policy.vex import read_statements

Read = Callable[[str], bytes | None]  # a path from the top of the repository -> its bytes, None where there is no such file

_LONGEST = 10  # policies that extend each other; `policy/chain.py` takes fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a policy allows, and the files that say so.

    Attributes:
        paths: from the top of the repository, the policy's own first.
        found: hex SHA-256 of what is allowed -> the same for people, with the file that says so. A waiver that has ended allows nothing.
        waivers: how many the files name, ended or not.
        elsewhere: the key of a base that does not lie in the repository, and "" where there is none.
    """

    found: Mapping[str, str]
    paths: tuple[str, ...] = ()
    waivers: int = 0
    elsewhere: str = ""

    @property
    def digest(self) -> str:
        """`sha256:...` over everything that is allowed."""
        return f"sha256:{hashlib.sha256(chr(10).join(sorted(self.found)).encode()).hexdigest()}"

    def under(self, policy: Policy) -> "Allowed":
        """The same, where `policy` is what all of it comes to: a base that lies elsewhere counts where it waives something."""
        if not self.elsewhere or len(policy.waivers) > self.waivers:
            return self
        return replace(self, found={key: what for key, what in self.found.items() if key != self.elsewhere})


NOTHING = Allowed(found={})


def allowances(read: Read, path: str, table: str, *, baseline: str = "off", today: date) -> Allowed:
    """What the policy at a path allows.

    Args:
        read: gives files.
        path: of the project's own policy, from the top of the repository.
        table: `tool.shipsafe` where it is a table of a pyproject.toml, else "".
        baseline: the one that holds where no file in the repository names one.
        today: a waiver that ended before it allows nothing.

    Raises:
        ConfigError: a file is missing, or is not what it should be.
    """
    chain, found = _chain(read, path, table)
    elsewhere = next(iter(found), "")
    files = [name for name, _ in chain]
    waivers = [(name, entry) for name, document in chain for entry in document.values.get("waivers", ())]
    for name, entry in waivers:
        ends = as_date(entry.get("expires"))
        if ends is None or ends >= today:
            found[_key("waiver", *_waiver(entry))] = (
                f"{entry.get('rule') or entry.get('advisory')} for {entry['subject']} (waiver in {name})"
            )
    home, own = posixpath.dirname(path), chain[0][1]
    for text in own.values.get("vex", ()):
        name = posixpath.normpath(posixpath.join(home, text))
        files.append(name)
        for statement in read_statements(_needed(read, name), name=name)[1]:
            # Its author's words change nothing but where there is no other reason; its time says how long it holds.
            said = {key: value for key, value in asdict(statement).items() if key not in ("source", "pointer", "author", "detail")}
            found[_key("vex", said, statement.clears)] = f"{statement.status} of {statement.vulnerability} (VEX in {name})"
    baseline = next((document.values["baseline"] for _, document in chain if "baseline" in document.values), baseline)
    if baseline != "off":
        name = posixpath.normpath(posixpath.join(home, baseline))
        files.append(name)
        for known in parse_baseline(_needed(read, name), shown=name, today=today).entries:
            said = {key: value for key, value in asdict(known).items() if key not in ("location", "message", "owner", "severity")}
            found[_key("baseline", said)] = f"{known.rule} for {known.subject} (known in {name})"
    return Allowed(paths=tuple(dict.fromkeys(files)), found=found, waivers=len(waivers), elsewhere=elsewhere)


def _chain(read: Read, path: str, table: str) -> tuple[list[tuple[str, Document]], dict[str, str]]:
    """The documents in the repository, the project's own first; and the first base that lies elsewhere, which may bring waivers, too.

    Raises:
        ConfigError: a file is missing, or is no policy.
    """
    chain = [(path, parse(_text(read, path), name=path, table=table))]
    while len(chain) <= _LONGEST:
        name, document = chain[-1]
        extends: Any = document.values.get("extends")
        if not isinstance(extends, dict):
            return chain, {}
        base = posixpath.normpath(posixpath.join(posixpath.dirname(name), extends["path"])) if "path" in extends else ""
        if not base or base.startswith(("../", "/")):
            where = extends.get("url") or extends["path"]
            return chain, {_key("base", extends["sha256"]): f"whatever {where} waives (`extends` in {name})"}
        chain.append((base, parse(_text(read, base), name=base)))
    raise ConfigError(f"Policies extend each other more than {_LONGEST} deep.", remedy="Extend a preset sooner.", path=path)


def _waiver(entry: Mapping[str, Any]) -> Iterator[object]:
    """What decides what it lets pass, and for how long."""
    yield str(entry.get("rule") or entry.get("advisory")).casefold()
    yield entry["subject"]
    yield as_date(entry.get("expires"))
    yield entry.get("until-fixed", False)
    yield entry.get("justification", "")


def _key(kind: str, *parts: object) -> str:
    return hashlib.sha256(json.dumps([kind, *parts], sort_keys=True, default=str).encode(errors="replace")).hexdigest()


def _needed(read: Read, name: str) -> bytes:
    data = read(name)
    if data is None:
        raise ConfigError("The policy names this file, and it is not in the repository.", remedy="Commit it, or leave it out.", path=name)
    return data


def _text(read: Read, name: str) -> str:
    try:
        return _needed(read, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Save the file as UTF-8.", path=name) from error
