"""Which native files of a tree cannot work where the function runs: processor, system, GLIBC, Python.

Packages that carry builds for several platforms and choose at run time (`prebuilds/darwin-arm64/`, `prebuilds/linux-x64/`) are
fine as long as one of the builds fits: the others are counted, not reported.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html; PEP 600; PEP 3149.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath

from shipsafe.adapters.once import Once
from shipsafe.model.tree import PROGRAM_MODE, Entry
from shipsafe.packing.native import Kind, Native, inspect, is_library, module_stem, python_abi
from shipsafe.packing.runtimes import Runtime

# Of the contents that this process has looked at: functions share dependencies. The name says whether it is a library.
_facts: Once[tuple[str, bool], Native | None] = Once()
_SYSTEMS = {Kind.MACH_O: "macOS", Kind.PE: "Windows"}
_PLATFORM = re.compile(r"darwin|macos|osx|win32|win64|windows|linux|freebsd|arm64|aarch64|x86_64|x64|amd64|armv7|ia32|musl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A native file that cannot work, why (the end of a sentence), and a key for each reason."""

    entry: Entry
    key: str
    reason: str


@dataclass(slots=True)
class Fit:
    """What was found in a tree. `unread`: native files that could not be read, as sentences; `spare`: builds for elsewhere."""

    natives: int = 0
    misfits: list[Misfit] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    spare: int = 0


def examine(entries: Sequence[Entry], *, architectures: Sequence[str], runtime: Runtime | None) -> Fit:
    """Look at every native file.

    Args:
        entries: the tree's files.
        architectures: those that are right (`x86_64`, `arm64`).
        runtime: what it runs on; None where it is not known, then GLIBC and Python are not judged.

    Raises:
        OSError: a file cannot be read.
    """
    fit = Fit()
    fitting: set[tuple[str, str]] = set()
    candidates: list[tuple[Entry, list[tuple[str, str]]]] = []
    for entry in entries:
        library = is_library(entry.path)
        if not library and entry.mode != PROGRAM_MODE:
            continue  # data, such as a tool's test files
        native = _facts.get((entry.sha256, library), partial(inspect, entry.source, name=entry.path))
        if native is None:
            continue
        fit.natives += 1
        if native.problem:
            fit.unread.append(f"{entry.path} says that it is native code, but {native.problem}.")
        elif reasons := _reasons(entry.path, native, architectures, runtime):
            candidates.append((entry, reasons))
        else:
            fitting |= {(_package(entry.path), module_stem(entry.path)), (_package(entry.path), "")}
    for entry, reasons in candidates:
        stem = module_stem(entry.path)
        names_platform = _PLATFORM.search(f"{PurePosixPath(entry.path).parent}/{stem}".lower())
        if (_package(entry.path), "" if names_platform else stem) in fitting:
            fit.spare += 1
        else:
            fit.misfits += [Misfit(entry=entry, key=f"{entry.path}:{key}", reason=reason) for key, reason in reasons]
    return fit


def _package(path: str) -> str:
    """The package that a file belongs to: its first folder, or the package's or scope's folder below node_modules."""
    parts = PurePosixPath(path).parts[:-1]
    depth = 2 if parts[:1] in (("node_modules",), ("python",)) else 1
    return "/".join(parts[:depth])


def _reasons(path: str, native: Native, architectures: Sequence[str], runtime: Runtime | None) -> list[tuple[str, str]]:
    """Why a file does not fit, as (key, end of a sentence); empty when it does."""
    if native.kind is not Kind.ELF:
        return [("system", f"is {native.kind}, native code for {_SYSTEMS[native.kind]}; Lambda runs Linux")]
    reasons = []
    if native.machine not in architectures:
        reasons.append(("machine", f"is built for {native.machine}; the function runs on {' or '.join(architectures)}"))
    if runtime is None:
        return reasons
    if native.glibc and native.glibc > runtime.glibc:
        has = f"{runtime.name} has {_dotted(runtime.glibc)}"
        reasons.append(("glibc", f"needs GLIBC {_dotted(native.glibc)}; {has}"))
    abi = python_abi(path)
    if runtime.python and abi and abi != runtime.python:
        shown = f"Python {abi}" if abi[0].isdigit() else abi
        reasons.append(("python", f"is built for {shown}; {runtime.name} runs Python {runtime.python}"))
    return reasons


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
