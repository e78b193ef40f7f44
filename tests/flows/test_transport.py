"""A folder that goes from one job to another: it arrives whole and as it was, or not at all, and nothing is ever written over."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError
from shipsafe.flows import transport
from shipsafe.flows.transport import LIST, get, put
from shipsafe.flows.transport_places import Place, open_place
from shipsafe.packing.parcel import items_of
from tests.end_to_end.program import environment, shipsafe
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.packing.staging import write

FILES = {"shipsafe.json": "{}", "Pay.zip": "PK" * 999, "deep/er/again.zip": "PK" * 999, "empty": "", ".shipsafe/sha256-x.zip": "PK"}
BUCKET = "hand-overs-111122223333"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "dist", FILES)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Nothing lies there yet."""
    if request.param == "folder":
        return open_place(str(tmp_path / "shared" / "run-1"))
    request.getfixturevalue("local_aws")
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return open_place(f"s3://{BUCKET}/runs/1/")


def handed(folder: Path, place: Place) -> str:
    return put(folder, items_of(folder), place).digest


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def overwrite(place: Place, name: str, data: bytes) -> None:
    """Somebody who may write there does as they like."""
    if place.shown.startswith("s3://"):
        client("s3").put_object(Bucket=BUCKET, Key=f"runs/1/{name}", Body=data)
    else:
        path = Path(place.shown) / name
        path.unlink(missing_ok=True)
        path.write_bytes(data)


def remove(place: Place, name: str) -> None:
    if place.shown.startswith("s3://"):
        client("s3").delete_object(Bucket=BUCKET, Key=f"runs/1/{name}")
    else:
        (Path(place.shown) / name).unlink()


def test_what_arrives_is_what_was_handed_over(folder: Path, place: Place, tmp_path: Path) -> None:
    digest = handed(folder, place)
    done = get(place, tmp_path / "got" / "here", digest=digest)
    assert content(tmp_path / "got" / "here") == content(folder)
    assert (done.digest, done.size) == (digest, sum(len(data) for data in content(folder).values()))
    assert [path.name for path in (tmp_path / "got").iterdir()] == ["here"]


def test_the_same_again_is_fine_and_anything_else_is_not(folder: Path, place: Place, tmp_path: Path) -> None:
    digest = handed(folder, place)
    again = put(folder, items_of(folder), place)
    assert (again.again, again.digest) == (True, digest)
    other = write(tmp_path / "other", {"shipsafe.json": "{ }"})
    with pytest.raises(IntegrityError, match="Something else was handed over there"):
        handed(other, place)
    get(place, tmp_path / "got", digest=digest)


def test_a_run_that_was_ended_in_the_middle_is_finished_by_the_next(folder: Path, place: Place, tmp_path: Path) -> None:
    items = items_of(folder)
    assert place.put(f"sha256-{items[0].sha256}", folder / items[0].path, sha256=items[0].sha256, size=items[0].size)
    with pytest.raises(NothingError, match="Nothing was handed over there"):
        get(place, tmp_path / "early")
    assert not (tmp_path / "early").exists()
    get(place, tmp_path / "got", digest=handed(folder, place))
    assert content(tmp_path / "got") == content(folder)


def _changed(data: bytes) -> bytes:
    return bytes(data[:-1]) + b"!"


@pytest.mark.parametrize(
    "change", [_changed, lambda data: data + b"x", lambda data: data[:-1], lambda _data: b"", lambda data: data + b"x" * 3_000_000]
)
def test_a_file_that_was_changed_on_its_way_is_refused(
    folder: Path, place: Place, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    digest = handed(folder, place)
    zipped = (folder / "Pay.zip").read_bytes()
    overwrite(place, f"sha256-{sha256(zipped).hexdigest()}", change(zipped))
    with pytest.raises(IntegrityError, match="is not what was handed over"):
        get(place, tmp_path / "got", digest=digest)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".got", "got"))] == []


@dataclass
class _Breaking:
    """A place whose connections break after a byte, so many times for each file; what was written is told as written by somebody else."""

    place: Place
    times: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    local = False

    @property
    def shown(self) -> str:
        return self.place.shown

    def put(self, name: str, path: Path, *, sha256: str, size: int) -> bool:
        return self.place.put(name, path, sha256=sha256, size=size) and False

    def read(self, name: str) -> Iterator[bytes] | None:
        content = self.place.read(name)
        before = self.broken.setdefault(name, 0)  # each is read in one thread
        if content is None or before == self.times:
            return content
        self.broken[name] = before + 1
        return self._broken(b"".join(content)[:1])

    def _broken(self, first: bytes) -> Iterator[bytes]:
        yield first  # nothing of an empty file, whichever is read first
        raise IncompleteError("The connection broke off.", remedy="Run this again.")


def test_a_connection_that_breaks_is_made_again_and_not_for_ever(folder: Path, tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "shared"))
    digest = handed(folder, place)
    get(_Breaking(place, 3), tmp_path / "got", digest=digest)
    assert content(tmp_path / "got") == content(folder)
    with pytest.raises(IncompleteError, match="broke off"):
        get(_Breaking(place, 4), tmp_path / "more", digest=digest)
    with pytest.raises(IncompleteError, match="broke off"):
        get(_Breaking(place, 4, {LIST: 4}), tmp_path / "more", digest=digest)
    assert not (tmp_path / "more").exists()


def test_what_was_written_by_us_and_told_as_taken_is_ours(folder: Path, place: Place, tmp_path: Path) -> None:
    """An answer that is lost on its way: the call is made once more, and meets what it wrote the first time."""
    done = put(folder, items_of(folder), _Breaking(place))
    get(place, tmp_path / "got", digest=done.digest)
    assert content(tmp_path / "got") == content(folder)
    other = write(tmp_path / "other", {"shipsafe.json": "{ }"})
    with pytest.raises(IntegrityError, match="Something else"):
        put(other, items_of(other), _Breaking(place))


def test_a_file_that_is_gone_is_missed(folder: Path, place: Place, tmp_path: Path) -> None:
    digest = handed(folder, place)
    remove(place, f"sha256-{sha256(b'').hexdigest()}")
    with pytest.raises(IncompleteError, match="empty is in the list and was not handed over"):
        get(place, tmp_path / "got", digest=digest)
    assert not (tmp_path / "got").exists()


def test_another_folder_in_its_place_is_found_by_the_digest_alone(folder: Path, place: Place, tmp_path: Path) -> None:
    """The list and all its files are consistent: only what came another way knows better."""
    digest = handed(folder, place)
    evil = b"evil"
    overwrite(place, f"sha256-{sha256(evil).hexdigest()}", evil)
    files = [{"path": "shipsafe.json", "sha256": sha256(evil).hexdigest(), "size": 4}]
    overwrite(place, LIST, json.dumps({"schema_version": "1.0", "files": files}).encode())
    with pytest.raises(IntegrityError, match="another folder"):
        get(place, tmp_path / "got", digest=digest)
    assert content_of_got(place, tmp_path) == {"shipsafe.json": evil}


def content_of_got(place: Place, tmp_path: Path) -> dict[str, bytes]:
    """What arrives where nobody compares."""
    get(place, tmp_path / "unchecked")
    return content(tmp_path / "unchecked")


def test_a_list_whose_paths_lead_out_writes_nothing(folder: Path, place: Place, tmp_path: Path) -> None:
    handed(folder, place)
    files = [{"path": "../evil", "sha256": sha256(b"").hexdigest(), "size": 0}]
    overwrite(place, LIST, json.dumps({"schema_version": "1.0", "files": files}).encode())
    with pytest.raises(IntegrityError, match="stays in the folder"):
        get(place, tmp_path / "in" / "got")
    assert not (tmp_path / "in").exists()


def test_a_list_that_is_too_large_is_not_read_to_its_end(
    folder: Path, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(folder, place)
    monkeypatch.setattr(transport, "LARGEST_LIST", 100)
    with pytest.raises(IntegrityError, match="no list of ours is"):
        get(place, tmp_path / "got")


@pytest.mark.parametrize("there", ["file", "full", "link"])
def test_nothing_is_written_over_where_it_arrives(folder: Path, tmp_path: Path, there: str) -> None:
    place = open_place(str(tmp_path / "shared"))
    handed(folder, place)
    got = tmp_path / "got"
    if there == "file":
        got.write_text("x")
    elif there == "full":
        write(got, {"a": "x"})
    else:
        (tmp_path / "elsewhere").mkdir()
        got.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="nothing is written over"):
        get(place, got)
    (tmp_path / "empty").mkdir()
    get(place, tmp_path / "empty")
    assert content(tmp_path / "empty") == content(folder)


def test_a_file_that_changes_while_it_is_handed_over_is_found(folder: Path, place: Place, tmp_path: Path) -> None:
    items = items_of(folder)
    (folder / "shipsafe.json").write_text("[]")
    with pytest.raises(IncompleteError):
        put(folder, items, place)
    with pytest.raises(NothingError):
        get(place, tmp_path / "got")


def test_of_two_that_hand_over_at_once_one_wins(folder: Path, place: Place, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {**FILES, "shipsafe.json": "{ }"})
    ended: list[object] = []

    def run(one: Path) -> None:
        try:
            ended.append(handed(one, place))
        except IntegrityError as error:
            ended.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in (folder, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [digest] = [one for one in ended if isinstance(one, str)]
    get(place, tmp_path / "got", digest=digest)


@pytest.mark.parametrize(
    "name",
    ["", "s3://", "s3://bucket", "s3://bucket/", "s3://bucket//", "s3://bucket/a/../b", "s3://bucket/a//b", "s3://B/a", "http://x/y",
     "s3://bucket/\n"],
)  # fmt: skip
def test_what_is_no_place_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is no place to hand anything over"):
        open_place(name)


OTHER = "999988887777"


@pytest.mark.usefixtures("local_aws")
def test_a_bucket_of_another_account_that_is_named(folder: Path, tmp_path: Path) -> None:
    """A pipeline signs in one account and deploys in another, and there is one place between its jobs."""
    client("s3", account=OTHER).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    digest = handed(folder, open_place(f"s3://{BUCKET}/runs/1", owner=OTHER))
    get(open_place(f"s3://{BUCKET}/runs/1", owner=OTHER), tmp_path / "got", digest=digest)
    assert content(tmp_path / "got") == content(folder)


@pytest.mark.usefixtures("local_aws")
def test_a_bucket_of_another_account_than_the_one_that_is_meant(folder: Path) -> None:
    """Whoever takes a name first would get all that is handed over; also where it is our own that was not meant."""
    place = f"s3://{BUCKET}/runs/1"
    client("s3", account=OTHER).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for owner in (None, ACCOUNT, "888888888888"):
        with pytest.raises(IntegrityError, match=f"does not belong to account {owner or ACCOUNT}") as stop:
            open_place(place, owner=owner)
        assert "--expected-owner" in stop.value.remedy
    taken = open_place(place, owner=OTHER)
    client("s3", account=OTHER).delete_bucket(Bucket=BUCKET)
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    with pytest.raises(IncompleteError, match="AccessDenied"):  # every call says whose it must be, and not the first alone
        handed(folder, taken)


def test_an_account_is_twelve_digits_and_owns_no_folder(folder: Path, tmp_path: Path) -> None:
    """As every other use of an option that makes no sense."""
    for place, owner, said in (("s3://bucket/run", "me", "twelve digits"), (tmp_path / "shared", OTHER, "is no bucket")):
        done = shipsafe("transport", "put", folder, place, "--yes", "--expected-owner", owner, cwd=tmp_path)
        assert (done.code, said in done.err) == (2, True), done.err


@pytest.mark.usefixtures("local_aws")
def test_a_bucket_that_is_not_there() -> None:
    with pytest.raises(IncompleteError, match="There is no bucket"):
        open_place(f"s3://{BUCKET}/runs")


KILLED = """
import os, signal, sys
from itertools import count
from shipsafe.__main__ import main

linked = count(1)

def happens(event, _):
    if event == "os.link" and next(linked) == 20:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(happens)
main()
"""


def test_a_process_that_is_killed_leaves_nothing_that_could_be_taken_for_whole(tmp_path: Path) -> None:
    """It dies before it gives the twentieth of its files the name under which it is found."""
    shared, large = tmp_path / "shared", write(tmp_path / "large", {f"{number}": os.urandom(100_000) for number in range(60)})
    words = [sys.executable, "-c", KILLED, "transport", "put", str(large), str(shared), "--yes"]
    ended = subprocess.run(words, env=environment({}), capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended
    assert list(shared.glob("sha256-*"))
    assert not (shared / LIST).exists()
    with pytest.raises(NothingError):
        get(open_place(str(shared)), tmp_path / "got")
    get(open_place(str(shared)), tmp_path / "got", digest=handed(large, open_place(str(shared))))
    assert content(tmp_path / "got") == content(large)


def test_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    outputs, shared = tmp_path / "outputs", str(tmp_path / "shared")
    asked = shipsafe("transport", "put", folder, shared, cwd=tmp_path)
    assert (asked.code, "no terminal to ask on" in asked.err, Path(shared).exists()) == (2, True, False)
    plan = shipsafe("transport", "put", folder, shared, "--dry-run", cwd=tmp_path).out
    assert plan.startswith(f"hand over {folder}: 5 files, 4.0 kB\n  to {shared}\n")
    done = shipsafe("transport", "put", folder, shared, "--yes", env={"GITHUB_OUTPUT": str(outputs)}, cwd=tmp_path)
    digest = done.out.splitlines()[-1]
    assert (done.code, digest in outputs.read_text(), outputs.read_text().startswith("digest<<")) == (0, True, True)
    got = shipsafe("transport", "get", shared, tmp_path / "got", "--digest", digest, cwd=tmp_path)
    assert (got.code, got.out) == (0, f"{tmp_path / 'got'}: 5 files, 4.0 kB, {digest}\n")
    for words, code in ((("--digest", "latest"), 2), (("--digest", f"sha256:{'0' * 64}"), 5)):
        assert shipsafe("transport", "get", shared, tmp_path / "more", *words, cwd=tmp_path).code == code
    assert shipsafe("transport", "get", tmp_path / "nowhere", tmp_path / "more", cwd=tmp_path).code == 3
