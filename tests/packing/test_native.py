"""Native code: what its files say of themselves, and that no file can hurt its reader."""

import platform
import struct
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipsafe.packing.native import Kind, Native, inspect, is_library, module_stem, python_abi
from tests.packing.elf import ARM64, I386, OBJECT, X86_64, elf


def _inspect(place: Path, content: bytes, name: str = "x.so") -> Native | None:
    file = place / name
    file.write_bytes(content)
    return inspect(file)


@pytest.mark.parametrize(("machine", "name"), [(X86_64, "x86_64"), (ARM64, "arm64"), (I386, "i386"), (243, "riscv")])
def test_the_machine_is_named_as_lambda_names_it(tmp_path: Path, machine: int, name: str) -> None:
    assert _inspect(tmp_path, elf(machine)) == Native(kind=Kind.ELF, machine=name, glibc=(2, 17))


def test_the_newest_glibc_counts_as_a_number_not_as_text(tmp_path: Path) -> None:
    found = _inspect(tmp_path, elf(versions=("GLIBC_2.4", "GLIBC_2.34", "GLIBC_2.9", "GLIBC_2.2.5", "GLIBC_PRIVATE", "OPENSSL_9.9")))
    assert found is not None
    assert found.glibc == (2, 34)


def test_what_needs_no_glibc_says_none(tmp_path: Path) -> None:
    assert _inspect(tmp_path, elf(versions=())) == Native(kind=Kind.ELF, machine="x86_64")


def test_this_python_is_what_the_platform_module_says() -> None:
    """A real file, and a second opinion."""
    found = inspect(Path(sys.executable).resolve())
    assert found is not None
    assert found.machine == {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    assert found.glibc is not None
    assert found.glibc <= tuple(int(part) for part in platform.libc_ver()[1].split("."))


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"\xcf\xfa\xed\xfe" + bytes(40), "x.so", Kind.MACH_O),
        (b"\xca\xfe\xba\xbe" + bytes(40), "x.dylib", Kind.MACH_O),
        (b"MZ" + bytes(40), "x.pyd", Kind.PE),
    ],
)
def test_libraries_of_other_systems_are_recognised_by_content(tmp_path: Path, content: bytes, name: str, kind: Kind) -> None:
    found = _inspect(tmp_path, content, name)
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "x.so"),
        (b"import os\n", "x.py"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "Main.class"),  # Java's magic is that of a fat Mach-O
        (b"MZ" + bytes(40), "t64.exe"),  # launchers that pip and setuptools carry for Windows
        (elf(kind=OBJECT), "x.o"),
    ],
)
def test_what_no_loader_takes_is_not_native_code(tmp_path: Path, content: bytes, name: str) -> None:
    assert _inspect(tmp_path, content, name) is None


@pytest.mark.parametrize(
    ("name", "abi"),
    [
        ("a/_x.cpython-312-x86_64-linux-gnu.so", "3.12"),
        ("_x.cpython-39-x86_64-linux-gnu.so", "3.9"),
        ("_x.cpython-313t-aarch64-linux-gnu.so", "3.13t"),
        ("_x.cpython-311-darwin.so", "3.11"),
        ("_x.cpython-310.so", "3.10"),
        ("_x.cp312-win_amd64.pyd", "3.12"),
        ("_x.pypy310-pp73-x86_64-linux-gnu.so", "pypy310"),
        ("_x.abi3.so", None),
        ("_x.so", None),
        ("libz-1a2b.so.1.3", None),
        ("libfoo.something.so", None),
        ("app.py", None),
    ],
)
def test_the_python_of_an_extension_module_is_in_its_name(name: str, abi: str | None) -> None:
    assert python_abi(name) == abi


def test_names_of_libraries() -> None:
    assert all(map(is_library, ["a.so", "a/b.so.1", "x.node", "x.dylib", "x.pyd", "libz-1.so.1.2.3"]))
    assert not any(map(is_library, ["a.py", "so", "a.so.txt", "x.exe", "x.sot"]))
    assert module_stem("a/_x.cpython-312-x86_64-linux-gnu.so") == module_stem("b/_x.abi3.so") == "_x"


def test_a_truncated_library_is_a_problem_in_words(tmp_path: Path) -> None:
    found = _inspect(tmp_path, elf()[:100])
    assert found is not None
    assert found.problem.startswith("it is damaged")
    assert found.machine is None


@pytest.mark.parametrize("where", [60, 48, 28])
def test_tables_that_announce_too_much_end_soon(tmp_path: Path, where: int) -> None:
    """A table of 4 billion versions in which every entry points at itself; 65,535 sections; and names without an end."""
    content = bytearray(elf())
    if where == 28:  # vn_aux points on, vn_next at itself: an endless list
        struct.pack_into("<I", content, len(content) - 64 + 44, 0xFFFFFFFF)
    elif where == 48:
        struct.pack_into("<Q", content, len(content) - 64 * 4 + 32, 0xFFFFFFFFFFFF)
        struct.pack_into("<H", content, 60, 0)
    else:
        struct.pack_into("<H", content, 60, 0xFFFF)
    content += b"A" * 20_000_000
    start = time.process_time()
    found = _inspect(tmp_path, bytes(content))
    assert time.process_time() - start < 30  # a virtual machine that stands still for 20 s may count them
    assert found is not None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_end_in_facts_a_problem_or_nothing(tmp_path: Path, content: bytes) -> None:
    _inspect(tmp_path, content)
    found = _inspect(tmp_path, b"\x7fELF" + content)
    assert found is None or found.problem or found.machine


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(elf()) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_a_damaged_library_ends_in_facts_a_problem_or_nothing(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    content = bytearray(elf(versions=("GLIBC_2.17",)))
    for place, value in damage:
        content[place] = value
    found = _inspect(tmp_path, bytes(content))
    assert found is None or found.problem or found.machine or found.kind is not Kind.ELF
