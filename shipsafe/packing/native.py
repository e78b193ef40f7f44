"""What native code in a tree needs: its machine, the GLIBC it was linked against, the Python it was built for.

ELF files are read with pyelftools, on hostile input too: every byte it reads is counted against a budget, every list that a file
announces is cut, and whatever goes wrong becomes `problem`. Any bytes end in facts, in a problem, or in None.

Sources: System V ABI, "Object Files"; LSB 5.0, "Symbol Versioning"; PEP 3149 and PEP 425 for the names of extension modules.
"""

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_BUDGET = 8 * 1024 * 1024  # bytes of one file that may be read; a real table of needed versions has a few kilobytes
_READS = 200_000
_SECTIONS = 4096
_VERSIONS = 4096
_NEEDED_VERSIONS = 0x6FFFFFFE  # SHT_GNU_verneed
_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64", "EM_386": "i386", "EM_ARM": "arm"}
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")
_MACH_O_FAT = b"\xca\xfe\xba\xbe"  # also a Java class, which no file name of a library has
_GLIBC = re.compile(rb"GLIBC_(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?")
_LIBRARY = re.compile(r"\.(?:so(?:\.\d+)*|node|dylib|pyd)$")
# foo.cpython-312-x86_64-linux-gnu.so, foo.abi3.so, foo.pypy310-pp73-x86_64-linux-gnu.so, foo.cp312-win_amd64.pyd
_EXTENSION = re.compile(r"^(?P<module>[^.]+)\.(?P<tag>[A-Za-z0-9_-]+)\.(?:so|pyd)$")
_CPYTHON = re.compile(r"^(?:cpython-|cp)(?P<major>3)(?P<minor>\d{1,2})(?P<flags>[a-z]*)(?:-|$)")


class Kind(StrEnum):
    """The format of a native file, which says for which kind of system it is."""

    ELF = "ELF"
    MACH_O = "Mach-O"
    PE = "PE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """What one native file says of itself.

    Attributes:
        machine: `x86_64`, `arm64`, or as the format names another one; None where it is not ELF or cannot be read.
        glibc: the newest GLIBC version it needs, such as (2, 34), or None.
        problem: why it cannot be read, or "".
    """

    kind: Kind
    machine: str | None = None
    glibc: tuple[int, int] | None = None
    problem: str = ""


def is_library(path: str) -> bool:
    """Whether the name is one that a loader takes (`.so`, `.so.1`, `.node`, and the ones of other systems)."""
    return _LIBRARY.search(path) is not None


def inspect(file: Path, *, name: str | None = None) -> Native | None:
    """The facts of a file, or None when it is no program or library.

    Args:
        file: where it lies.
        name: what it will be called, where that is not the name of `file`.

    Raises:
        OSError: it cannot be opened.
    """
    with file.open("rb") as stream:
        magic = stream.read(4)
        if magic == b"\x7fELF":
            stream.seek(0)
            return _elf(stream)
    if magic in _MACH_O or (magic == _MACH_O_FAT and is_library(name or file.name)):
        return Native(kind=Kind.MACH_O)
    if magic[:2] == b"MZ" and is_library(name or file.name):
        return Native(kind=Kind.PE)
    return None


def python_abi(path: str) -> str | None:
    """The Python for which an extension module is built, by its name: `3.12`, `3.13t`, `pypy310`; None for any or not said."""
    found = _EXTENSION.match(PurePosixPath(path).name)
    if found is None or found["tag"] == "abi3":
        return None
    tag = found["tag"]
    if cpython := _CPYTHON.match(tag):
        return f"{cpython['major']}.{cpython['minor']}{cpython['flags']}"
    return tag.partition("-")[0] if tag.startswith(("pypy", "graalpy")) else None


def module_stem(path: str) -> str:
    """The file's name without tags: builds of one module for several systems share it, also from folder to folder."""
    return PurePosixPath(path).name.partition(".")[0]


class _TooMuchError(Exception):
    """A file made its reader read more than any real file does."""


class _Counted(io.RawIOBase):
    """A binary stream that gives at most `_BUDGET` bytes in all."""

    def __init__(self, inner: io.BufferedReader) -> None:
        self._inner = inner
        self._bytes = _BUDGET
        self._reads = _READS

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(min(size, self._bytes + 1) if size >= 0 else self._bytes + 1)
        self._bytes -= len(data)
        self._reads -= 1
        if self._bytes < 0 or self._reads < 0:
            raise _TooMuchError
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()


def _elf(stream: io.BufferedReader) -> Native | None:
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - only a tree with native code needs it
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    try:
        elf = ELFFile(cast("IO[bytes]", _Counted(stream)))
        if elf["e_type"] not in ("ET_EXEC", "ET_DYN"):
            return None  # an object file, an eBPF program: nothing that a loader takes
        machine = str(elf["e_machine"])
        glibc = max(_glibc(elf), default=None)
    except _TooMuchError:
        return Native(kind=Kind.ELF, problem="its tables are larger than those of any real library")
    # What pyelftools raises on damaged files beside its own error: it follows whatever offsets and types a file states.
    except (ELFError, ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError, struct.error) as error:
        return Native(kind=Kind.ELF, problem=f"it is damaged ({type(error).__name__})")
    return Native(kind=Kind.ELF, machine=_MACHINES.get(machine, machine.removeprefix("EM_").lower()), glibc=glibc)


def _glibc(elf: "ELFFile") -> Iterator[tuple[int, int]]:
    """Every GLIBC version that its table of needed versions names."""
    from elftools.elf.gnuversions import GNUVerNeedSection  # noqa: PLC0415

    for number in range(min(elf.num_sections(), _SECTIONS)):
        if _type_of(elf, number) != _NEEDED_VERSIONS:
            continue
        section = elf.get_section(number)
        if isinstance(section, GNUVerNeedSection):
            for _, needed in islice(section.iter_versions(), _VERSIONS):
                for version in islice(needed, _VERSIONS):
                    if found := _GLIBC.fullmatch(version.name.encode()):
                        yield int(found[1]), int(found[2])


def _type_of(elf: "ELFFile", number: int) -> int:
    """The type of a section, the second word of its header; pyelftools would parse the whole header, and look up its name."""
    elf.stream.seek(elf["e_shoff"] + number * elf["e_shentsize"] + 4)
    kind: int = struct.unpack("<I" if elf.little_endian else ">I", elf.stream.read(4))[0]
    return kind
