"""A list of files that is handed over: the same for equal folders, and nothing in one that somebody else wrote leads anywhere."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError
from shipsafe.packing import parcel
from shipsafe.packing.parcel import LARGEST_LIST, Item, items_of, list_written, read_list
from tests.packing.staging import write

HEX = "0" * 64
FILES = {"shipsafe.json": "{}", ".shipsafe/lock": "", "deep/er/a.zip": "PK", "é ü.txt": "x"}


def listed(*files: object) -> bytes:
    return json.dumps({"schema_version": "1.0", "files": files}).encode()


def entry(path: object = "a", digest: object = HEX, size: object = 1) -> dict[str, Any]:
    return {"path": path, "sha256": digest, "size": size}


def test_equal_folders_give_equal_lists_and_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    one, two = items_of(write(tmp_path / "one", FILES)), items_of(write(tmp_path / "two", dict(reversed(FILES.items()))))
    assert list_written(one) == list_written(two)
    assert [item.path for item in one] == sorted(FILES)
    assert read_list(list_written(one), shown="l") == one


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "../a", "a/../b", "/etc/passwd", "a//b", "a/", "./a", "a/./b", "a\\b", "C:a", "c:/a", "a\x00b", "a\nb", "a\x1b[0m",
        "a/..", "~/../a", "\ud800", "x" * 1001, "a.", "a /b", "a:stream",
    ],
)  # fmt: skip
def test_no_path_leads_out_or_means_something_else_elsewhere(path: str) -> None:
    with pytest.raises(IntegrityError):
        read_list(listed(entry(), entry(path)), shown="l")


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"{}", b"\xff", b"[" * 100_000, listed(), listed("a"), listed(entry(7)), listed(entry(digest=None)),
        listed(entry(digest="0" * 63)), listed(entry(digest="G" * 64)), listed(entry(digest=HEX.upper() + "\n")), listed(entry(size=-1)),
        listed(entry(size=True)), listed(entry(size=1.0)), listed(entry(size=2**40)), listed({**entry(), "mode": 7}), listed({"path": "a"}),
        listed(entry("a"), entry("A")), listed(entry("a"), entry("a/b")), listed(entry("A/b"), entry("a")),
        listed(*[entry(str(number), size=2**30) for number in range(33)]), b" " * (LARGEST_LIST + 1),
    ],
)  # fmt: skip
def test_what_is_no_list_of_a_folder_is_refused(document: bytes) -> None:
    with pytest.raises(IntegrityError, match="no list of files that were handed over"):
        read_list(document, shown="l")


def test_a_list_of_a_later_version_is_for_a_later_shipsafe() -> None:
    with pytest.raises(IncompleteError, match="another version"):
        read_list(b'{"schema_version": "2.0", "files": []}', shown="l")


def test_links_and_devices_are_not_handed_over(tmp_path: Path) -> None:
    for number, target in enumerate(("/etc/passwd", "/etc", "b", None)):
        folder = write(tmp_path / str(number), {"a/b": "x"})
        odd = folder / "a" / "odd"
        odd.symlink_to(target) if target else os.mkfifo(odd)
        with pytest.raises(ConfigError, match="no regular file"):
            items_of(folder)


def test_names_that_not_every_system_takes_are_not_handed_over(tmp_path: Path) -> None:
    for name in ("a\\b", "a:b", "a\nb", "a."):
        folder = write(tmp_path / str(len(list(tmp_path.iterdir()))), {name: "x"})
        with pytest.raises(ConfigError, match="no name that every system takes"):
            items_of(folder)


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "many", {f"{number}{',' * 200}": "x" for number in range(10)})
    monkeypatch.setattr(parcel, "_MOST", 10)
    with pytest.raises(ConfigError, match="their list is too large"):
        items_of(folder)
    write(folder, {"one-more": "x"})
    with pytest.raises(ConfigError, match="more than 10 files"):
        items_of(folder)


def test_nothing_is_nothing_to_hand_over(tmp_path: Path) -> None:
    (tmp_path / "empty" / "in").mkdir(parents=True)
    with pytest.raises(NothingError):
        items_of(tmp_path / "empty")
    with pytest.raises(ConfigError, match="no such folder"):
        items_of(tmp_path / "nowhere")


def test_no_item_is_more_than_its_name_its_digest_and_its_size() -> None:
    assert read_list(listed(entry("b"), entry("a/c")), shown="l") == (
        Item(path="b", sha256=HEX, size=1), Item(path="a/c", sha256=HEX, size=1),
    )  # fmt: skip
