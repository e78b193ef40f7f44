"""A package index of our own, which lives as long as the session, and a cache of uv that nobody else uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packing.loopback import index, sdist, wheel

MIDDLE = ("leaf", 'ghost ; sys_platform == "win32"')


@pytest.fixture(scope="session")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that build code of the index writes when it runs."""
    return tmp_path_factory.mktemp("marker") / "ran"


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What uv loads from addresses that no other session has would only fill the user's cache."""
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def local_index(served: str, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an index whose releases stand below."""
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    return served


@pytest.fixture(scope="session")
def served(marker: Path) -> Iterator[str]:
    """Serve them."""
    elf = b"\x7fELF" + bytes(60)
    releases = [
        wheel("plain", "1.0"),
        wheel("plain", "2.0"),
        wheel("middle", "1.0", requires=MIDDLE),
        wheel("leaf", "1.0"),
        wheel("ghost", "1.0"),
        wheel("top", "1.0", extras=["more"], requires=["middle", 'extra-part ; extra == "more"']),
        wheel("extra_part", "1.0"),
        wheel("native", "1.0", {"native/_fast.so": elf + b"x86"}, tag="cp313-cp313-manylinux2014_x86_64"),
        wheel("native", "1.0", {"native/_fast.so": elf + b"arm"}, tag="cp313-cp313-manylinux2014_aarch64"),
        *(
            wheel(f"modern_{glibc}", "1.0", tag=f"cp3{minor}-cp3{minor}-manylinux_2_{glibc}_{machine}")
            for glibc in (28, 34, 39)
            for minor in (9, 11, 12, 13, 14)
            for machine in ("x86_64", "aarch64")
        ),
        wheel(
            "scripted",
            "1.0",
            {
                "scripted.py": b"def main(): ...\n",
                "bin/data.sh": b"#!/bin/sh\necho the wheel's own\n",
                "scripted-1.0.data/scripts/python-tool": b"#!python\nprint('rewritten for this machine')\n",
                "scripted-1.0.data/scripts/shell-tool": b"#!/bin/sh\necho shipped as it is\n",
            },
            scripts="scripted = scripted:main",
            programs=["bin/data.sh", "scripted-1.0.data/scripts/shell-tool"],
        ),
        wheel("liar", "1.0", {"liar.py": b"what is there\n"}, lies={"liar.py": b"what RECORD says\n"}),
        wheel("uncompiled", "1.0", {"uncompiled.pyc": b"the only module", "__pycache__/x.cpython-313.pyc": b"a cache"}),
        sdist("sourced", "1.0", str(marker)),
        wheel("needs_sourced", "1.0", requires=["sourced"]),
    ]
    with index(*releases) as url:
        yield url
