"""What Lambda's runtimes are: their Python, and the GLIBC of the Amazon Linux below them.

Amazon Linux 1 has GLIBC 2.17, AL2 has 2.26, AL2023 has 2.34 (AWS, "Lambda runtimes"). A wheel that needs a newer GLIBC fails at
import, so wheels are chosen for a platform that the runtime can certainly load. Runtimes that AWS has retired are listed, too:
functions that were made with them still run, and their packages are still looked at.
"""

import re
from dataclasses import dataclass

_AL1 = (2, 17)
_AL2 = (2, 26)
_AL2023 = (2, 34)
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One runtime: its name, the Python it runs (`3.13`, None for other languages), and its GLIBC."""

    name: str
    python: str | None
    glibc: tuple[int, int]


_PYTHONS = {_AL1: (6, 7), _AL2: (8, 9, 10, 11), _AL2023: (12, 13, 14)}
_OTHERS = {
    _AL1: ("nodejs8.10", "nodejs10.x", "java8", "go1.x", "ruby2.5", "provided"),
    _AL2: ("nodejs12.x", "nodejs14.x", "nodejs16.x", "nodejs18.x", "java8.al2", "java11", "java17", "dotnetcore3.1", "dotnet6",
           "ruby2.7", "ruby3.2", "provided.al2"),
    _AL2023: ("nodejs20.x", "nodejs22.x", "nodejs24.x", "java21", "java25", "dotnet8", "dotnet9", "dotnet10", "ruby3.3",
              "ruby3.4", "ruby4.0", "provided.al2023"),
}  # fmt: skip
_RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        *(Runtime(name=f"python3.{minor}", python=f"3.{minor}", glibc=glibc) for glibc, all_ in _PYTHONS.items() for minor in all_),
        *(Runtime(name=name, python=None, glibc=glibc) for glibc, names in _OTHERS.items() for name in names),
    )
}
_NAME = re.compile(r"python3\.[0-9]{1,2}|(?:nodejs|java|dotnet|go|ruby|provided)[0-9a-z.]*")


def lookup(runtime: str) -> Runtime | None:
    """The runtime of that name, or None when we do not know it."""
    return _RUNTIMES.get(runtime)


def is_a_name(runtime: str) -> bool:
    """Whether a runtime is named as Lambda names them, also one that Lambda may yet have.

    Of what runs something else than Python, the gates that look at Python are not asked: `Python3.13`, or a variable that a pipeline does
    not set, must not be taken for such a runtime.
    """
    return _NAME.fullmatch(runtime) is not None


def platform(runtime: Runtime, architecture: str) -> str:
    """What uv is asked for with `--python-platform`: `manylinux_2_34` on AL2023, `manylinux2014` on what is older.

    A wheel for an older GLIBC runs on a newer one, and uv admits every older tag. Between 2.17 and 2.28 uv knows no platform, so
    a wheel for GLIBC 2.18 to 2.26 alone is not found for AL2; that errs on the safe side.
    """
    machine = MACHINES[architecture]
    return f"{machine}-manylinux_2_34" if runtime.glibc >= _AL2023 else f"{machine}-manylinux2014"


def environment(python: str, architecture: str) -> dict[str, str]:
    """PEP 508 marker variables of a Lambda runtime: those of the machine that builds do not matter."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": MACHINES[architecture],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
