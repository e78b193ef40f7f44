"""Each name comes from the index that claims it and from nowhere else; who we are there is seen by that index alone."""

import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.adapters import process
from shipsafe.adapters.keyring import ask_keyring
from shipsafe.errors import IncompleteError
from shipsafe.model.policy import FindLinks, NamedIndex, Policy
from shipsafe.model.tree import StagedTree
from shipsafe.packing.indexes import open_indexes
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import distribution, policy, staged, write

SECRET = "hunter2-and-more"
USER = ("ci", SECRET)
API = wheel("acme_api", "2.0", requires=["acme-core", "plain"])


@pytest.fixture(autouse=True)
def _private_cache(uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))


@pytest.fixture
def public() -> Iterator[str]:
    """What anybody can publish: also what claims to be ours, in higher versions."""
    releases = [wheel("plain", "1.0"), wheel("acme_core", "99.0"), wheel("acme_api", "99.0"), wheel("user", "1.0", requires=["acme-core"])]
    with index(*releases) as url:
        yield url


@pytest.fixture
def ours() -> Iterator[str]:
    """Our index, which also has an older release of something that is not ours."""
    with index(API, wheel("acme_api", "1.0"), wheel("acme_core", "1.0"), wheel("plain", "0.5")) as url:
        yield url


def rules(public: str, ours: str, **more: object) -> Policy:
    """A policy in which our index claims `acme-*`."""
    named = NamedIndex(name="acme", url=ours, packages=("acme-*",))
    return replace(policy(index=public), named_indexes=(named,), **more)  # type: ignore[arg-type]


def stage(tmp_path: Path, requirements: str, rules: Policy, **options: object) -> StagedTree:
    root = write(tmp_path / "project", {"src/requirements.txt": requirements, "src/app.py": ""})
    return staged(root, tmp_path / "work", None, rules, **options)  # type: ignore[arg-type]


def origins(tree: StagedTree) -> dict[str, tuple[str | None, str | None]]:
    return {one.name: (one.version, one.index) for one in tree.distributions}


@pytest.mark.parametrize("requirements", ["acme-api\n", "acme-api==2.0\nacme-core\nplain\n"])
def test_a_claimed_name_comes_from_its_index_and_others_never_do(tmp_path: Path, public: str, ours: str, requirements: str) -> None:
    """`acme-core` is not asked for, and higher on the public index; `plain` is on ours, too."""
    tree = stage(tmp_path, requirements, rules(public, ours))
    assert origins(tree) == {"acme-api": ("2.0", ours), "acme-core": ("1.0", ours), "plain": ("1.0", public)}


def test_a_claimed_name_that_something_public_needs_comes_from_its_index(tmp_path: Path, public: str, ours: str) -> None:
    tree = stage(tmp_path, "user\n", rules(public, ours))
    assert origins(tree) == {"acme-core": ("1.0", ours), "user": ("1.0", public)}


def test_an_older_release_is_not_taken_because_a_claimed_name_is_not_public(tmp_path: Path, ours: str) -> None:
    with index(wheel("plain", "1.0")) as public:
        tree = stage(tmp_path, "acme-api\n", rules(public, ours))
    assert origins(tree)["acme-api"] == ("2.0", ours)
    assert origins(tree)["acme-core"] == ("1.0", ours)


def test_a_name_that_its_index_does_not_have_is_taken_from_nowhere(tmp_path: Path, public: str) -> None:
    with index(wheel("other", "1.0")) as empty, pytest.raises(IncompleteError, match=r"src/requirements.txt:1: .*acme-core"):
        stage(tmp_path, "acme-core\n", rules(public, empty))


def test_the_public_index_is_not_asked_for_what_is_claimed_when_all_is_locked(tmp_path: Path, ours: str) -> None:
    asked: list[str] = []
    locked = f"acme-core==1.0 --hash={sha256(wheel('acme_core', '1.0')[1])}\nplain==1.0 --hash={sha256(wheel('plain', '1.0')[1])}\n"
    with index(wheel("plain", "1.0"), wheel("acme_core", "99.0"), asked=asked) as public:
        tree = stage(tmp_path, locked, rules(public, ours))
    assert origins(tree) == {"acme-core": ("1.0", ours), "plain": ("1.0", public)}
    assert any("plain" in path for path in asked)


@pytest.mark.parametrize("name", ["wheels", "our wheels + ümlaut"])
def test_wheels_in_a_folder_are_taken_and_say_so(tmp_path: Path, public: str, name: str) -> None:
    folder = write(tmp_path / name, dict([wheel("carried", "1.0")]))
    links = (FindLinks(shown=name, place=str(folder)),)
    tree = stage(tmp_path, "carried\nplain\n", replace(policy(index=public), find_links=links))
    assert origins(tree) == {"carried": ("1.0", name), "plain": ("1.0", public)}
    assert str(tmp_path) not in repr([(one.index, one.location) for one in tree.distributions])


@pytest.mark.parametrize("ending", ["", "/"])
def test_wheels_on_a_page_are_taken_and_say_so(tmp_path: Path, public: str, ending: str) -> None:
    with index(wheel("carried", "1.0")) as url:
        page = f"{url}/carried{ending}"
        tree = stage(tmp_path, "carried\nplain\n", replace(policy(index=public), find_links=(FindLinks(shown=page, place=page),)))
    assert origins(tree) == {"carried": ("1.0", page), "plain": ("1.0", public)}


@pytest.mark.parametrize("requirements", ["acme-core\n", "acme-api\n"])
def test_a_claimed_name_is_not_taken_from_a_folder_of_wheels(tmp_path: Path, public: str, ours: str, requirements: str) -> None:
    folder = write(tmp_path / "wheels", dict([wheel("acme_core", "2.0")]))
    links = (FindLinks(shown="wheels", place=str(folder)),)
    tree = stage(tmp_path, requirements, rules(public, ours, find_links=links))
    assert origins(tree)["acme-core"] == ("1.0", ours)


def test_a_folder_of_wheels_holds_no_links(tmp_path: Path, public: str) -> None:
    folder = write(tmp_path / "wheels", {"a": b""})
    (folder / "plain-9.0-py3-none-any.whl").symlink_to("/etc/passwd")
    with pytest.raises(IncompleteError, match=r"plain-9.0-py3-none-any.whl in the folder of wheels wheels is a link"):
        stage(tmp_path, "plain\n", replace(policy(index=public), find_links=(FindLinks(shown="wheels", place=str(folder)),)))


class Watch:
    """Runs programs, and looks at how everybody else sees them while they run."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def run(self, argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900) -> process.Finished:
        """As `process.run`."""
        self.seen.append("\0".join(str(part) for part in argv))
        over = threading.Event()
        watcher = threading.Thread(target=self._look, args=(over,))
        watcher.start()
        try:
            return process.run(argv, cwd=cwd, env=env, timeout=timeout)
        finally:
            over.set()
            watcher.join()

    def _look(self, over: threading.Event) -> None:
        while not over.wait(0.005):
            for one in Path("/proc").iterdir():
                with suppress(OSError):  # it has ended, or is no process; a glob would raise where one ends while it is looked up
                    self.seen.append((one / "cmdline").read_bytes().decode(errors="replace"))


def holds(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and text.encode() in path.read_bytes()]


def by_environment(monkeypatch: pytest.MonkeyPatch, url: str, _folder: Path) -> str:
    monkeypatch.setenv("UV_INDEX_ACME_USERNAME", USER[0])
    monkeypatch.setenv("UV_INDEX_ACME_PASSWORD", USER[1])
    return url


def by_variable(monkeypatch: pytest.MonkeyPatch, url: str, _folder: Path) -> str:
    monkeypatch.setenv("UV_INDEX_ACME_TOKEN", USER[1])
    return url.replace("://", "://ci:${UV_INDEX_ACME_TOKEN}@")


def by_netrc(monkeypatch: pytest.MonkeyPatch, url: str, folder: Path) -> str:
    path = folder / ".netrc"
    write(folder, {".netrc": f"machine 127.0.0.1\nlogin {USER[0]}\npassword {USER[1]}\n"})
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    return url


def by_keyring(monkeypatch: pytest.MonkeyPatch, url: str, folder: Path) -> str:
    ask_keyring.cache_clear()
    script = f'#!/bin/sh\n[ "$1 $2 $3" = "--mode creds get" ] || exit 1\nprintf "{USER[0]}\\n{USER[1]}\\n"\n'
    keyring = write(folder, {"keyring": script}) / "keyring"
    keyring.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("UV_KEYRING_PROVIDER", "subprocess")
    return url


Way = Callable[[pytest.MonkeyPatch, str, Path], str]
WAYS = [by_environment, by_variable, by_netrc, by_keyring]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("claimed", [True, False])
def test_credentials_open_the_index_and_are_seen_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way, *, claimed: bool
) -> None:
    """Not in an argument of any process, not in a file of ours or of uv's cache, not in what is known of the tree."""
    cache, watch = tmp_path / "uv-cache", Watch()
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))
    with index(wheel("acme_core", "1.0"), user=USER) as private, index(wheel("plain", "1.0")) as public:
        url = way(monkeypatch, private, tmp_path / "credentials")
        if not claimed and way is by_environment:
            monkeypatch.setenv("UV_INDEX_SHIPSAFE_EXTRA_1_USERNAME", USER[0])
            monkeypatch.setenv("UV_INDEX_SHIPSAFE_EXTRA_1_PASSWORD", USER[1])
        chosen = rules(public, url) if claimed else policy(index=public, extra=(url,))
        tree = stage(tmp_path, "acme-core\nplain\n", chosen, run=watch.run)
    assert origins(tree) == {"acme-core": ("1.0", private), "plain": ("1.0", public)}
    assert any("uv" in line and "pip" in line for line in watch.seen)
    assert not any(SECRET in line for line in watch.seen)
    assert SECRET not in repr(tree)
    assert SECRET not in repr(open_indexes(chosen, offline=False))
    assert holds(tmp_path / "work", SECRET) == holds(cache, SECRET) == []


def test_without_credentials_the_way_to_give_them_is_said(tmp_path: Path, public: str) -> None:
    with index(wheel("acme_core", "1.0"), user=USER) as private, pytest.raises(IncompleteError) as caught:
        stage(tmp_path, "acme-core\n", rules(public, private))
    assert "Set UV_INDEX_ACME_USERNAME and UV_INDEX_ACME_PASSWORD" in str(caught.value)


def test_wrong_credentials_are_not_shown(tmp_path: Path, public: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_ACME_USERNAME", "ci")
    monkeypatch.setenv("UV_INDEX_ACME_PASSWORD", "wrong-and-secret")
    with index(wheel("acme_core", "1.0"), user=USER) as private, pytest.raises(IncompleteError) as caught:
        stage(tmp_path, "acme-core\n", rules(public, private))
    assert "wrong-and-secret" not in str(caught.value)
    assert "UV_INDEX_ACME_PASSWORD" in str(caught.value)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path, public: str) -> None:
    named = rules(public, "https://ci:${UV_INDEX_NO_SUCH}@packages.example.com/simple")
    with pytest.raises(IncompleteError, match=r"The variable UV_INDEX_NO_SUCH, which holds credentials for the index https://packages"):
        stage(tmp_path, "acme-core\n", named)


def test_distributions_of_several_indexes_ship_together(tmp_path: Path, public: str, ours: str) -> None:
    tree = stage(tmp_path, "acme-api\n", rules(public, ours))
    assert distribution(tree, "acme-core").via == ("acme-api",)
    shipped = {entry.path for entry in tree.entries}
    assert {"acme_api.py", "acme_core.py", "plain.py"} <= shipped
