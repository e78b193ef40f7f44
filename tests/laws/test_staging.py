"""Whatever stands in a list or an archive, reading it ends in what it says or in our error."""

import io
import tempfile
import zipfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from shipsafe.errors import IncompleteError
from shipsafe.packing.pylock import read_pylock
from shipsafe.packing.requirements import read_requirements
from shipsafe.packing.runtimes import environment
from shipsafe.packing.unpack import unpack

_RUNTIME = environment("3.13", "x86_64")
_WORDS = st.sampled_from(
    ["six", "idna==3.7", "-r", "-c", "-e", ".", "--hash=sha256:", "a" * 64, "\\\n", "\n", "#", ";", "python_version", ">", '"3"', "[",
     "]", "@", "://", "${X}", "=", ",", " ", "requirements.txt", "\u2028", "\0", "'"])  # fmt: skip


@given(st.lists(_WORDS, max_size=25).map("".join))
@example("- ")
@example("-\\\ne .")
@example("six;" + "(" * 500)
@example("-r\0")
def test_any_text_is_requirements_or_our_error(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "requirements.txt").write_text(text)
        try:
            found = read_requirements(root / "requirements.txt", root=root, boundary=root, environment=_RUNTIME)
        except IncompleteError as error:
            assert error.path  # noqa: PT017 - which error it is decides what must hold
            return
        for one in (*found.wanted, *found.constraints):
            assert one.requirement.url is None
            assert not one.line().startswith("-")
            assert "\n" not in one.line()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["1.0", "x", "sha256", "python_version > '3'"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "version", "wheels", "url", "hashes", "marker", "vcs", "sdist"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=40), st.integers(0, 400), st.integers(0, 255))
def test_any_archive_is_unpacked_within_the_tree_or_refused(content: bytes, place: int, byte: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("app.py", content)
        opened.writestr("deep/er/data.bin", content * 3)
    damaged = bytearray(buffer.getvalue())
    damaged[place % len(damaged)] = byte
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder).resolve() / "tree"
        target.mkdir()
        (target.parent / "app.zip").write_bytes(damaged)
        try:
            members = list(unpack(target.parent / "app.zip", target, shown="app.zip"))
        except IncompleteError:
            members = []
        assert all(file.resolve().is_relative_to(target) for _, file, _ in members)
        assert {one.name for one in target.parent.iterdir()} == {"tree", "app.zip"}


@given(_VALUES)
def test_any_pylock_is_read_or_refused(packages: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "pylock.toml").write_text(f'lock-version = "1.0"\ncreated-by = "x"\npackages = {_toml(packages)}\n')
        try:
            needs = read_pylock(root / "pylock.toml", root=root, boundary=root, environment=_RUNTIME)
        except IncompleteError:
            return
        assert all(one.locked for one in needs.wanted)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return str(value) if isinstance(value, int) else f'"{str(value).encode("unicode_escape").decode().replace(chr(34), "")}"'
