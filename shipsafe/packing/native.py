"""What native code a file holds: for which processor, for which GLIBC, for which Python.

Read, never loaded. Any bytes end in facts, or in the sentence that says why they cannot be read.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF"
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)")
_ABI = re.compile(r"\.(?P<python>cpython-(?P<version>\d+)|abi3|pypy\d+)?[^/]*\.(?:so|pyd)$")
_FOREIGN = (".dylib", ".dll", ".pyd")
_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64", "EM_386": "i386", "EM_ARM": "arm"}
_VERSIONS = 4096  # of symbols that one file may need; more is not a library but an attack on the reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """Facts about one file.

    Attributes:
        machine: Lambda's name of the architecture where it has one (`x86_64`, `arm64`), else the ELF name.
        glibc: the newest GLIBC that it needs, or None when it needs none.
        problem: why it could not be read, or "".
    """

    machine: str | None = None
    glibc: tuple[int, int] | None = None
    problem: str = ""


def inspect(file: Path) -> Native | None:
    """Facts about a file that is native code, or None when it is not ELF."""
    with file.open("rb") as opened:
        if opened.read(4) != _MAGIC:
            return None
        return _read(file)


def extension_python(path: str) -> str | None:
    """The Python of an extension module by its name (`x.cpython-313-aarch64-linux-gnu.so` is 3.13); None: any, or not one."""
    found = _ABI.search(path)
    digits = found["version"] if found and found["version"] else None
    return f"{digits[0]}.{digits[1:]}" if digits else None


def is_foreign(path: str) -> bool:
    """Whether a name says that the file is native code for another system (macOS, Windows)."""
    return path.lower().endswith(_FOREIGN)


def _read(file: Path) -> Native:
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - only where there is native code
    from elftools.construct import ConstructError  # noqa: PLC0415 - likewise
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - likewise

    try:
        with file.open("rb") as opened:
            elf = ELFFile(opened)
            machine = str(elf["e_machine"])
            return Native(machine=_MACHINES.get(machine, machine), glibc=_needed_glibc(elf))
    # pyelftools is not hardened: broken files reach its arithmetic and its parsers' internals
    except (ELFError, ConstructError, ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError,
            OverflowError, RecursionError, MemoryError, UnicodeDecodeError, OSError, ZeroDivisionError) as error:  # fmt: skip
        return Native(problem=f"its ELF header cannot be read ({type(error).__name__})")


def _needed_glibc(elf: object) -> tuple[int, int] | None:
    from elftools.elf.gnuversions import GNUVerNeedSection  # noqa: PLC0415 - only where there is native code

    needed: list[tuple[int, int]] = []
    for section in elf.iter_sections():  # type: ignore[attr-defined]  # pyelftools has no types
        if not isinstance(section, GNUVerNeedSection):
            continue
        for _, auxiliaries in section.iter_versions():
            for auxiliary in auxiliaries:
                found = _GLIBC.fullmatch(str(auxiliary.name))
                if found:
                    needed.append((int(found[1]), int(found[2])))
                if len(needed) > _VERSIONS:
                    raise ValueError
    return max(needed, default=None)
