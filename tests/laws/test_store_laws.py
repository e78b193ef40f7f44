"""Laws of a folder of evidence (what is there is whole, and is what was kept), and of reading an SBOM quickly."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import enveloped, read_envelope, statement_of, written
from shipsafe.evidence.sbom import finish, stated
from shipsafe.evidence.store import open_store
from shipsafe.evidence.store.listing import listing
from shipsafe.model.attestation import Envelope, Predicate, Resource
from tests.evidence.store.statements import kept, sealed

DIGESTS = st.sampled_from([digit * 64 for digit in "123"])
SUBJECTS = st.lists(DIGESTS, min_size=1, max_size=3, unique=True)
KEPT = st.lists(st.tuples(SUBJECTS, st.sampled_from(Predicate), st.integers(0, 3)), max_size=8)
# Letters that a quick reader might trip over: of JSON, of our own layout, and of beyond ASCII.
TEXTS = st.text(st.sampled_from('ab1.-_"\\{}[],: \n\u2028é')) | st.sampled_from(
    ['"purl": "', '"type": "file"}', "shipsafe:index", '\n "components": [\n']
)
LIBRARIES = st.builds(
    lambda name, version, index, supplier, more: {
        "bom-ref": f"{name}@{version}", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}", "type": "library",
        "properties": [{"name": "shipsafe:index", "value": index}, {"name": "shipsafe:source", "value": "index"}],
        **({"supplier": supplier} if supplier else {}), **more,
    },
    TEXTS, TEXTS, TEXTS, st.none() | st.fixed_dictionaries({"name": TEXTS}),
    st.fixed_dictionaries({}, optional={"description": TEXTS, "licenses": st.lists(st.fixed_dictionaries({"name": TEXTS})),
                                        "externalReferences": st.lists(st.fixed_dictionaries({"purl": TEXTS, "url": TEXTS})),
                                        "type": st.sampled_from(["framework", "application"])}),
)  # fmt: skip
JUNK = [
    b" ",
    b"\n",
    b"\n ",
    b'"',
    b"{},",
    b",{}",
    b'{"name": "x", "type": "library"},',
    b"1",
    b"\\",
    b"\n ],",
    b'"type": "file", ',
    b'"components": [{}], ',
]
FILES = st.builds(lambda name: {"bom-ref": f"file:{name}", "name": name, "type": "file", "properties": []}, TEXTS)


@given(batch=KEPT)
def test_what_is_found_about_a_zip_is_all_that_was_kept_about_it(
    batch: list[tuple[list[str], Predicate, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = open_store(str(tmp_path_factory.mktemp("store")), home=Path())
    made = [kept(*subjects, kind=kind, number=number) for subjects, kind, number in batch]
    for envelope, said in made:
        store.keep(envelope, said)
    for digest in ("1" * 64, "2" * 64, "3" * 64):
        about = {envelope for envelope, said in made if any(one.digests["sha256"] == digest for one in said.subjects)}
        assert set(store.about(digest)) == about
    assert {envelope for _, envelope in store.everything()} == {envelope for envelope, _ in made}


def test_many_that_keep_the_same_at_once_leave_one_whole_object_each(tmp_path: Path) -> None:
    made = [kept(digit * 64, number=number) for digit in "123" for number in range(10)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: open_store("s", home=tmp_path).keep(*one), made * 4))
    store = open_store("s", home=tmp_path)
    assert {envelope for _, envelope in store.everything()} == {envelope for envelope, _ in made}
    assert len([path for path in (tmp_path / "s").rglob("*") if path.is_file()]) == len(made)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_process_that_is_killed_leaves_nothing_half(tmp_path: Path) -> None:
    """Killed while it keeps, again and again: every object that has a name is whole, and keeping again completes it.

    However long nobody kills it, it keeps no more than a store looks at about one zip.
    """
    code = """
        import signal, sys
        from pathlib import Path
        from shipsafe.evidence.store import open_store
        from tests.evidence.store.statements import kept
        store = open_store("s", home=Path(sys.argv[1]))
        print("ready", flush=True)
        for number in range(300):
            store.keep(*kept("1" * 64, "2" * 64, number=number, filler="x" * 200_000))
        signal.pause()
    """
    root = Path(__file__).resolve().parents[2]
    for wait in (1, 20, 60):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), tmp_path],
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert process.stdout is not None
        with process.stdout:
            process.stdout.readline()
            store = open_store("s", home=tmp_path)
            while not (tmp_path / "s").is_dir() or len(store.listed()) < wait:
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        found = [envelope for _, envelope in store.everything()]
        assert len(found) >= wait
        for envelope in found:
            store.keep(envelope, statement_of(envelope, shown="test"))
        assert len(store.about("1" * 64)) == len(store.about("2" * 64)) == len(store.listed())


def _listed(envelope: Envelope) -> Sequence[Any] | None:
    """What is listed, None where that is refused."""
    try:
        return listing(envelope, shown="test")[1]
    except IntegrityError:
        return None


def _both(payload: bytes) -> tuple[Sequence[Any], Sequence[Any]]:
    """What the quick way lists, and what parsing the whole of it does."""
    envelope = read_envelope(enveloped(payload, []), shown="test")
    whole = statement_of(envelope, shown="test")
    compact = sealed(whole)
    return listing(envelope, shown="test")[1], listing(compact, shown="test")[1]


@given(components=st.lists(LIBRARIES | FILES) | st.builds(list.__add__, st.lists(LIBRARIES), st.lists(FILES, min_size=1)))
def test_the_quick_way_lists_what_parsing_the_whole_does(components: list[dict[str, Any]]) -> None:
    document = {"$schema": "x", "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"bom-ref": "function:F"}},
                "components": components, "dependencies": []}  # fmt: skip
    quick, whole = _both(stated(Resource(name="F.zip", digests={"sha256": "1" * 64}), finish(document, None)))
    assert quick == whole
    assert [one[:3] for one in quick] == [(one["name"], one["version"], one["purl"]) for one in components if one["type"] != "file"]


@given(components=st.lists(LIBRARIES | FILES, max_size=4), at=st.integers(0), junk=st.sampled_from(JUNK))
def test_what_is_broken_is_never_read_as_something_else(components: list[dict[str, Any]], at: int, junk: bytes) -> None:
    """Whatever is put anywhere into a statement: where the whole way can read that, the quick way lists the same."""
    document = {"components": components, "metadata": {}, "specVersion": "1.6"}
    payload = stated(Resource(name="F.zip", digests={"sha256": "1" * 64}), finish(document, None))
    place = at % len(payload)
    envelope = read_envelope(enveloped(payload[:place] + junk + payload[place:], []), shown="test")
    try:
        whole = statement_of(envelope, shown="test")
    except IntegrityError:
        return  # refused by the whole way: nothing to compare
    again = read_envelope(written(whole, []), shown="test")
    assert _listed(envelope) == _listed(again)
