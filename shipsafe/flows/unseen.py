"""What nobody could look at in another revision, so that what is found now counts as new: a remark for each gate and reason.

    At main (0123456789ab) lint has no answer for function:Pay, function:Refund, so whatever it finds now counts as new: ruff crashed.

Each share of a build says it of its own functions, in its report as everybody reads it; together they say it as one machine would.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from shipsafe.model.verdict import Verdict

_NAMED = 5  # subjects that one remark names
_REMARK = re.compile(
    r"(?P<gate>[\w-]+) has no answer for (?P<named>.+?)(?: and (?P<more>\d{1,9}) more)?"
    r", so whatever it finds now counts as new: (?P<reason>.*)",
    re.DOTALL | re.ASCII,
)


def unseen(verdict: Verdict, shown: str) -> tuple[str, ...]:
    """What was not answered at the revision that is `shown` so."""
    silent: dict[tuple[str, str], list[str]] = {}
    for one in verdict.unanswered:
        silent.setdefault((one.gate, one.reason), []).append(one.subject)
    return tuple(_remarks(shown, silent, {}))


def joined(shown: str, remarks: Iterable[str]) -> tuple[str, ...]:
    """The remarks of all shares about that revision, those about the same as one; others stay, each once."""
    others: dict[str, None] = {}
    silent: dict[tuple[str, str], list[str]] = {}
    unnamed: dict[tuple[str, str], int] = {}
    for remark in remarks:
        found = _REMARK.fullmatch(remark.removeprefix(f"At {shown} "))
        if found is None:
            others[remark] = None
            continue
        about = (found["gate"], found["reason"])
        silent.setdefault(about, []).extend(found["named"].split(", "))
        unnamed[about] = unnamed.get(about, 0) + int(found["more"] or 0)
    return (*others, *_remarks(shown, silent, unnamed))


def _remarks(shown: str, silent: Mapping[tuple[str, str], list[str]], unnamed: Mapping[tuple[str, str], int]) -> Iterator[str]:
    for (gate, reason), subjects in sorted(silent.items()):
        names = sorted(set(subjects))  # a layer may be asked about in two shares
        rest = len(names[_NAMED:]) + unnamed.get((gate, reason), 0)
        named = f"{', '.join(names[:_NAMED])}{f' and {rest} more' if rest else ''}"
        yield f"At {shown} {gate} has no answer for {named}, so whatever it finds now counts as new: {reason}"
