"""What Lambda's runtimes are: their Python, and the GLIBC of the Amazon Linux below them.

AL2 has GLIBC 2.26, AL2023 has 2.34 (AWS, "Lambda runtimes"). A wheel that needs a newer GLIBC fails at import, so wheels are
chosen for a platform that the runtime can certainly load.
"""

from dataclasses import dataclass

_AL2 = (2, 26)
_AL2023 = (2, 34)
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One runtime: its name, the Python it runs (`3.13`, None for other languages), and its GLIBC."""

    name: str
    python: str | None
    glibc: tuple[int, int]


_RUNTIMES = {
    **{f"python3.{minor}": Runtime(name=f"python3.{minor}", python=f"3.{minor}", glibc=_AL2) for minor in (8, 9, 10, 11)},
    **{f"python3.{minor}": Runtime(name=f"python3.{minor}", python=f"3.{minor}", glibc=_AL2023) for minor in (12, 13, 14)},
    **{name: Runtime(name=name, python=None, glibc=_AL2) for name in
       ("nodejs16.x", "nodejs18.x", "java8.al2", "java11", "java17", "dotnet6", "ruby3.2", "provided.al2")},
    **{name: Runtime(name=name, python=None, glibc=_AL2023) for name in
       ("nodejs20.x", "nodejs22.x", "nodejs24.x", "java21", "java25", "dotnet8", "dotnet9", "dotnet10", "ruby3.3", "ruby3.4",
        "provided.al2023")},
}  # fmt: skip


def lookup(runtime: str) -> Runtime | None:
    """The runtime of that name, or None when we do not know it."""
    return _RUNTIMES.get(runtime)


def platform(runtime: Runtime, architecture: str) -> str:
    """What uv is asked for with `--python-platform`: manylinux2014 on AL2, 2_34 on AL2023.

    A wheel for an older GLIBC runs on a newer one, so uv's platform also admits every older tag.
    """
    machine = MACHINES[architecture]
    return f"{machine}-manylinux_2_34" if runtime.glibc >= _AL2023 else f"{machine}-manylinux2014"
