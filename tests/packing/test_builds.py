"""Only what the policy names is built from source; its build code sees no credential, no variable of ours and no network."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.adapters.sandbox import Isolation, isolation
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.policy import NamedIndex, Policy
from shipsafe.model.tree import Source, StagedTree
from tests.packing.loopback import index, sdist, sha256, wheel
from tests.packing.staging import distribution, policy, staged, write

SPY = """
import json, os, socket
def connects(address):
    try:
        socket.create_connection(address, timeout=600).close()
    except OSError:
        return False
    return True
def namespace(process):
    try:
        return os.readlink(f"/proc/{process}/ns/pid")
    except OSError:
        return None
made["spied.json"] = json.dumps({
    "environment": dict(os.environ), "home": os.path.expanduser("~"), "files": os.listdir(os.path.expanduser("~")),
    "network": connects(("127.0.0.1", PORT)), "namespace": namespace("self"), "first": namespace(1),
})
"""
THIEF = """
import json, os, subprocess
home = pathlib.Path(HOME)
written = []
for path in (home / "x", home / ".aws" / "x", home / ".netrc", pathlib.Path("/usr/x"), pathlib.Path("/tmp/x")):
    subprocess.run(["mount", "-o", "remount,rw,bind", "/"], capture_output=True)
    try:
        path.write_text("x")
    except OSError:
        continue
    written.append(str(path))
made["stolen.json"] = json.dumps(dict([
    (".aws", os.listdir(home / ".aws")), (".netrc", (home / ".netrc").read_text()), ("seen.txt", (home / "seen.txt").read_text()),
    ("written", [path for path in written if not path.endswith(".netrc")]),
    ("capabilities", next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff"))),
]))
"""
MAKER = """
import backend_of_its_own
made["made_by.txt"] = backend_of_its_own.NAME
"""


@pytest.fixture(autouse=True)
def _private_cache(uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))


@pytest.fixture
def gate() -> Iterator[str]:
    """A server on this machine that a build could reach."""
    with index(wheel("plain", "1.0")) as url:
        yield url


def stage(tmp_path: Path, requirements: str, rules: Policy, **options: object) -> StagedTree:
    root = write(tmp_path / "project", {"src/requirements.txt": requirements, "src/app.py": ""})
    return staged(root, tmp_path / "work", None, rules, **options)  # type: ignore[arg-type]


def content(tree: StagedTree, path: str) -> str:
    return next(entry for entry in tree.entries if entry.path == path).source.read_text(encoding="utf-8")


def test_build_code_sees_neither_credentials_nor_the_network(tmp_path: Path, gate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source lies behind a password, which fetches it and is gone when its code runs."""
    variables = {"UV_INDEX_ACME_USERNAME": "ci", "UV_INDEX_ACME_PASSWORD": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter2",
                 "HTTPS_PROXY": "http://u:hunter2@127.0.0.1:9", "NO_PROXY": "127.0.0.1"}  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    port = gate.rpartition(":")[2].partition("/")[0]
    release = sdist("acme_spy", "1.0", str(tmp_path / "ran"), code=SPY.replace("PORT", port))
    with index(release, user=("ci", "hunter2")) as private:
        named = NamedIndex(name="acme", url=private, packages=("acme-*",))
        rules = replace(policy(index=gate, allow_sdist=("acme-spy",)), named_indexes=(named,))
        tree = stage(tmp_path, "acme-spy\nplain\n", rules)
    spied = json.loads(content(tree, "spied.json"))
    assert not variables.keys() & spied["environment"].keys()
    assert "hunter2" not in json.dumps(spied)
    assert spied["home"] != str(Path.home())
    assert spied["files"] == []
    assert spied["network"] is (isolation() is Isolation.OPEN)
    if isolation() in (Isolation.SHUT_IN, Isolation.ALONE):
        assert spied["namespace"] == spied["first"] != str(Path("/proc/self/ns/pid").readlink()), "the processes that it sees are its own"
    assert tree.notes == (f"acme-spy 1.0 was built here from source, {isolation()}.",)
    one = distribution(tree, "acme-spy")
    assert (one.source, one.index, one.hashes) == (Source.INDEX, private, (sha256(release[1]),))


@pytest.mark.skipif(isolation() is not Isolation.SHUT_IN, reason="this machine cannot make the namespaces")
def test_build_code_writes_nowhere_else_and_does_not_read_what_is_hidden_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write(tmp_path / "home", {".aws/credentials": "hunter2", ".netrc": "hunter2", "seen.txt": "not hidden"})
    monkeypatch.setenv("HOME", str(home))
    marker = tmp_path / "ran"
    with index(sdist("sourced", "1.0", str(marker), code=THIEF.replace("HOME", repr(str(home))))) as url:
        tree = stage(tmp_path, "sourced\n", policy(index=url, allow_sdist=("sourced",)))
    assert not marker.exists()
    assert content(tree, "shut-in.txt") == "it could not write where it liked"
    stolen = json.loads(content(tree, "stolen.json"))
    assert stolen == {".aws": [], ".netrc": "", "seen.txt": "not hidden", "written": [], "capabilities": "0000000000000000"}
    assert (home / ".netrc").read_text() == "hunter2"


def test_what_a_build_needs_is_installed_before_and_found_without_a_network(tmp_path: Path) -> None:
    release = sdist("sourced", "1.0", str(tmp_path / "ran"), code=MAKER, requires=["backend-of-its-own"])
    with index(release, wheel("backend_of_its_own", "1.0", {"backend_of_its_own.py": b"NAME = 'a wheel'\n"})) as url:
        tree = stage(tmp_path, "sourced\n", policy(index=url, allow_sdist=("sourced",)))
    assert content(tree, "made_by.txt") == "a wheel"
    assert [one.name for one in tree.distributions] == ["sourced"]


def test_what_a_build_needs_is_itself_never_built(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    releases = [sdist("sourced", "1.0", str(marker), requires=["deeper"]), sdist("deeper", "1.0", str(marker))]
    with index(*releases) as url, pytest.raises(IncompleteError, match="sourced, which App needs, cannot be built from source: what its"):
        stage(tmp_path, "sourced\n", policy(index=url, allow_sdist=("sourced", "deeper")))
    assert not marker.exists()


def test_a_source_that_is_not_what_was_locked_is_not_built(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    release = sdist("sourced", "1.0", str(marker))
    locked = "sourced==1.0 --hash={}\n"
    with index(release) as url:
        rules = policy(index=url, allow_sdist=("sourced",))
        with pytest.raises(IncompleteError, match="there is no source distribution of it that fits"):
            stage(tmp_path / "a", locked.format("sha256:" + "0" * 64), rules)
        assert not marker.exists()
        tree = stage(tmp_path / "b", locked.format(sha256(release[1])), rules)
    assert distribution(tree, "sourced").hashes == (sha256(release[1]),)
    assert content(tree, "sourced.py") == "built = True\n"


def test_an_index_that_gives_other_bytes_than_its_page_says_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "ran"
    with index(sdist("sourced", "1.0", str(marker))) as url:
        monkeypatch.setattr("tests.packing.loopback.sha256", lambda _: "sha256:" + "0" * 64)
        with pytest.raises(IntegrityError, match=r"sourced-1.0.tar.gz is not what its hash says"):
            stage(tmp_path, "sourced\n", policy(index=url, allow_sdist=("sourced",)))
    assert not marker.exists()


@pytest.mark.parametrize("code", ["raise SystemExit('\\033[2J')", "import os; os.abort()"])
def test_a_build_that_fails_says_so_and_not_what_it_likes(tmp_path: Path, code: str) -> None:
    with index(sdist("sourced", "1.0", str(tmp_path / "ran"), code=code)) as url, pytest.raises(IncompleteError) as caught:
        stage(tmp_path, "\nsourced\n", policy(index=url, allow_sdist=("sourced",)))
    message = str(caught.value)
    assert message.startswith("src/requirements.txt:2: sourced, which App needs, cannot be built from source: its build failed: ")
    assert "\033" not in message
    assert str(tmp_path) not in message


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("file_name = 'sourced-1.0-cp39-cp39-manylinux2014_x86_64.whl'", "the wheel that was made here does not fit python3.13"),
        ("file_name = 'acme-1.0-py3-none-any.whl'", "its build "),
        ("file_name = 'sourced-2.0-py3-none-any.whl'", "its build "),
    ],
)
def test_the_wheel_must_be_the_one_that_was_asked_for(tmp_path: Path, code: str, why: str) -> None:
    with index(sdist("sourced", "1.0", str(tmp_path / "ran"), code=code)) as url, pytest.raises(IncompleteError) as caught:
        stage(tmp_path, "sourced\n", policy(index=url, allow_sdist=("sourced",)))
    assert f"sourced, which App needs, cannot be built from source: {why}" in str(caught.value)


def test_offline_nothing_is_built(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with index(sdist("sourced", "1.0", str(marker))) as url:
        rules = policy(index=url, allow_sdist=("sourced",))
        stage(tmp_path / "a", "sourced==1.0\n", rules)
        marker.unlink(missing_ok=True)
        with pytest.raises(IncompleteError, match="its source cannot be fetched offline"):
            stage(tmp_path / "b", "sourced==1.0\n", rules, offline=True)
    assert not marker.exists()


@pytest.mark.registry
def test_a_real_source_distribution_is_built(tmp_path: Path) -> None:
    tree = stage(tmp_path, "docopt==0.6.2\n", policy(allow_sdist=("docopt",)))
    assert "docopt.py" in {entry.path for entry in tree.entries}
    assert distribution(tree, "docopt").index == "https://pypi.org/simple"
