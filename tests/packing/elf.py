"""Small ELF files, made byte by byte: a header, a string table and a table of needed versions."""

import struct
from collections.abc import Sequence

X86_64, ARM64, I386 = 62, 183, 3
SHARED, OBJECT = 3, 1


def elf(machine: int = X86_64, *, versions: Sequence[str] = ("GLIBC_2.17",), kind: int = SHARED) -> bytes:
    """A 64-bit little-endian ELF file that needs these versions of libc.so.6."""
    names = b"\0.shstrtab\0.dynstr\0.gnu.version_r\0"
    strings = b"\0libc.so.6\0" + b"".join(version.encode() + b"\0" for version in versions)
    offsets = [strings.index(version.encode() + b"\0") for version in versions]
    needed = struct.pack("<HHIII", 1, len(versions), 1, 16, 0) if versions else b""
    for number, offset in enumerate(offsets):
        needed += struct.pack("<IHHII", 0, 0, number + 2, offset, 16 if number + 1 < len(versions) else 0)
    at_names = 64
    at_strings = at_names + len(names)
    at_needed = at_strings + len(strings)
    at_sections = at_needed + len(needed)
    header = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    header += struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0, 0, at_sections, 0, 64, 56, 0, 64, 4, 1)
    sections = bytes(64)
    for name, type_, offset, size, link, info in (
        (names.index(b".shstrtab"), 3, at_names, len(names), 0, 0),
        (names.index(b".dynstr"), 3, at_strings, len(strings), 0, 0),
        (names.index(b".gnu.version_r"), 0x6FFFFFFE, at_needed, len(needed), 2, 1 if versions else 0),
    ):
        sections += struct.pack("<IIQQQQIIQQ", name, type_, 0, 0, offset, size, link, info, 1, 0)
    return header + names + strings + needed + sections
