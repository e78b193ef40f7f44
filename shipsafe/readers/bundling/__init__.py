"""What CDK and Terraform ship of a folder, and who installs its dependencies.

Both zip a folder as it lies and install nothing (only CDK's bundling does, before it is synthesized). So

    distributions inside (`*.dist-info`)      another tool installed them: it ships as it lies, and is audited so
    a lock or `requirements.txt` inside       shipsafe installs them, as it does for SAM; a hint says that the other tool would not
    neither                                   it ships as it lies

Only what lies in the folder itself counts: a lock above it is the CDK application's own, or the repository's (docs/adr/0009).
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from shipsafe.adapters.files import relative
from shipsafe.model.policy import Policy
from shipsafe.model.project import CodeKind, Function, Layer

_SHOWN = 10
_MOST = 20_000  # entries looked at in one folder
_HINT = " installs no dependencies for"
_INSTALLED = re.compile(r".+\.(?:dist-info|egg-info)")

SubjectT = TypeVar("SubjectT", Function, Layer)


def as_shipped(subject: SubjectT, root: Path, policy: Policy, *, bundled: bool = False) -> tuple[SubjectT, bool]:
    """The subject, with who installs its dependencies decided; and whether that is shipsafe, where its own tool would not.

    Args:
        subject: as it was read.
        root: the project's root, absolute.
        policy: for the kind of lock it chooses.
        bundled: another tool says that it installed the dependencies.

    Raises:
        ConfigError: two kinds of lock lie in the folder and the policy does not choose.
    """
    code = subject.code
    folder = root / (code.path or "")
    if code.path is None or code.kind not in (CodeKind.FOLDER, CodeKind.FILE) or not folder.exists():
        return subject, False
    if code.kind is CodeKind.FILE or not subject.is_python:
        return _as_it_lies(subject), False
    if bundled or _holds_distributions(folder):
        return _as_it_lies(replace(subject, code=replace(code, prebuilt=True))), False
    from shipsafe.packing.locks import find_lock  # noqa: PLC0415 - most projects have a template, and need no reader of locks to be read

    lock = find_lock(folder, root=folder, chosen=policy.lock)
    if lock is None:
        return _as_it_lies(subject), False
    where = relative(lock, root)
    if isinstance(subject, Function):
        return replace(subject, requirements=where), True
    return replace(
        subject,
        requirements=where,
        build_method=subject.runtime,
        build_architecture=next(iter(subject.architectures), None),
    ), True


def hint(names: Sequence[str], *, tool: str, command: str) -> tuple[str, ...]:
    """What a person must know where shipsafe installs what the other tool would leave out."""
    if not names:
        return ()
    what = f"{tool}{_HINT} {listed(names)}; shipsafe does."
    return (f"{what} Deploy its archives: `{command}` alone would ship them without.",)


def is_hint(text: str) -> bool:
    """Whether `hint` has written it."""
    return _HINT in text


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _as_it_lies(subject: SubjectT) -> SubjectT:
    if isinstance(subject, Function):
        return replace(subject, skip_build=True)
    return replace(subject, build_method=None)


def _holds_distributions(folder: Path) -> bool:
    """Whether something has been installed into the folder, in one of the places where Lambda's Python looks."""
    places = [folder, folder / "python"]
    places += [one / "site-packages" for one in (folder / "python" / "lib").glob("python3*")]
    return any(_INSTALLED.fullmatch(name) for place in places for name in _names(place))


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as listing:
            return [entry.name for entry in islice(listing, _MOST)]
    except OSError:  # it is not there, or may not be read: staging says so
        return []
