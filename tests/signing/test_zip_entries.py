"""A zip has one meaning, or it is refused: every way in which two readers could find different entries."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from itertools import zip_longest

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.packing.zip_records import DEFLATED, STORED, Member, central_header, end_records, local_header
from shipsafe.signing.zip_entries import content, read_entries
from tests.signing import made

BODY = b"x = 1\n" * 40


def _member(name: str, body: bytes = BODY, **other: int) -> Member:
    values = {"mode": 0o100644, "method": STORED, "crc": zlib.crc32(body), "size": len(body), "compressed": len(body)} | other
    return Member(name=name, **values)


def _archive(*members: tuple[Member, bytes], central: list[Member] | None = None, between: bytes = b"", before: bytes = b"") -> bytes:
    data, offsets = bytearray(before), []
    for member, body in members:
        offsets.append(len(data))
        data += local_header(member) + body + between
    directory = b"".join(central_header(one, at) for one, at in zip(central or [one for one, _ in members], offsets, strict=True))
    return bytes(data) + directory + end_records(len(offsets), len(directory), len(data))


def _read(archive: bytes) -> dict[str, bytes]:
    file = io.BytesIO(archive)
    return {entry.name: b"".join(content(file, entry)) for entry in read_entries(file)}


def _refused(archive: bytes, words: str) -> None:
    with pytest.raises(IntegrityError, match=words):
        _read(archive)


def test_what_zipfile_writes_is_read_in_its_order() -> None:
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert list(_read(made.Zip(compression=compression).bytes()).items()) == list(made.FILES)


def test_a_stream_with_records_behind_the_data_is_read() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]  # what zipfile gives is bytes
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in made.FILES:
            archive.writestr(name, body)
    assert _read(pipe.data) == dict(made.FILES)


def test_sizes_of_eight_bytes_are_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in made.FILES:
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(body)
    assert _read(file.getvalue()) == dict(made.FILES)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_two_entries_can_be_read_at_once(compression: int) -> None:
    first, second = bytes(range(256)) * 3000, bytes(range(255, -1, -1)) * 3000
    file = io.BytesIO(made.Zip([("a", first), ("b", second)], compression).bytes())
    one, other = read_entries(file)
    pairs = list(zip_longest(content(file, one), content(file, other), fillvalue=b""))
    assert b"".join(chunk for chunk, _ in pairs) == first
    assert b"".join(chunk for _, chunk in pairs) == second


def _with_end_64(archive: bytes, *, count: int | None = None, at: int | None = None, keep_small: bool = False) -> bytes:
    _, _, _, _, entries, size, start, _ = struct.unpack("<4s4H2LH", archive[-22:])
    body = archive[:-22]
    count = entries if count is None else count
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) if at is None else at, 1)
    full = (entries, entries, size, start) if keep_small else (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    return body + end_64 + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *full, 0)


def test_end_records_of_eight_bytes_are_read() -> None:
    plain = made.Zip().bytes()
    assert _read(_with_end_64(plain)) == dict(made.FILES)
    assert _read(_with_end_64(plain, keep_small=True)) == dict(made.FILES)


def test_end_records_that_say_two_things_are_refused() -> None:
    plain = made.Zip().bytes()
    _refused(_with_end_64(plain, count=1, keep_small=True), "end records do not fit")
    _refused(_with_end_64(plain, at=0), "end records do not fit")


def test_a_comment_of_the_archive_is_read_over() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b"made by a tool"
        archive.writestr("a.py", BODY)
    assert _read(file.getvalue()) == {"a.py": BODY}


PLAIN = _archive((_member("a.py"), BODY), (_member("b.py"), BODY))


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (b"", "not a zip"),
        (b"PK", "not a zip"),
        (b"\0" * 100_000, "not a zip"),
        (PLAIN[:-1], "not a zip, or its end is missing"),
        (PLAIN[:-30], "not a zip, or its end is missing"),
        (PLAIN + b"#", "behind the end"),
        (PLAIN + PLAIN, "bytes before the zip"),
        (b"#!/bin/sh\n" + PLAIN, "bytes before the zip"),
        (_archive((_member("a.py"), BODY), before=b"MZ"), "bytes before the first entry"),
        (_archive((_member("a.py"), BODY), (_member("b.py"), BODY), between=b"hidden"), "bytes behind 'a.py'"),
        (_archive((_member("a.py"), BODY), between=b"hidden"), "bytes behind 'a.py'"),
        (_archive((_member("a.py"), BODY), central=[_member("b.py")]), "says two things"),
        (_archive((_member("a.py"), BODY), central=[_member("a.py", method=DEFLATED)]), "says two things"),
        (_archive((_member("a.py"), BODY), central=[_member("a.py", crc=1)]), "says two things"),
        (_archive((_member("a.py"), BODY), central=[_member("a.py", size=7, compressed=7)]), "says two things"),
        (_archive((_member("a.py", crc=1), BODY)), "another size or checksum"),
        (_archive((_member("a.py"), BODY), (_member("a.py"), BODY)), "stands in the zip twice"),
        (_archive((_member("a.py"), BODY), (_member("./a.py"), BODY)), "stands in the zip twice"),
        (_archive((_member("lib"), BODY), (_member("lib/", b""), b"")), "stands in the zip twice"),
        (_archive((_member("lib/"), BODY)), "folder 'lib/' has content"),
        (_archive((_member("../a.py"), BODY)), "leads out"),
        (_archive((_member("/a.py"), BODY)), "leads out"),
        (_archive((_member("lib\\a.py"), BODY)), "leads out"),
        (_archive((_member("a.py\0.txt"), BODY)), "leads out"),
        (_archive((_member(""), BODY)), "leads out"),
        (_archive((_member("a.py", method=12), BODY)), "compressed in a way"),
        (_archive((_member("a.py", size=7), BODY)), "compressed in a way"),
        (_archive((_member("a.py", method=DEFLATED), BODY)), "cannot be unpacked|before or behind"),
        (PLAIN.replace(b"a.py", b"\xff.py"), "not UTF-8"),
        (PLAIN[:-12] + struct.pack("<H", 3) + PLAIN[-10:], "one part of several"),
        (PLAIN[:-14] + struct.pack("<2H", 3, 3) + PLAIN[-10:], "fewer records|damaged"),
        (PLAIN[:-14] + struct.pack("<2H", 1, 1) + PLAIN[-10:], "more in it than its records"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(archive: bytes, words: str) -> None:
    _refused(archive, words)


def _patched(archive: bytes, mark: bytes, offset: int, shape: str, value: int) -> bytes:
    at = archive.index(mark) + offset
    return archive[:at] + struct.pack(shape, value) + archive[at + struct.calcsize(shape) :]


def test_entries_that_overlap_are_refused() -> None:
    at = PLAIN.rindex(b"PK\x01\x02") + 42
    _refused(PLAIN[:at] + struct.pack("<L", 0) + PLAIN[at + 4 :], "overlaps the next")


def test_entries_in_another_order_than_the_directory_says_are_refused() -> None:
    first, second = _member("a.py"), _member("b.py")
    data = local_header(first) + BODY + local_header(second) + BODY
    directory = central_header(second, len(data) // 2) + central_header(first, 0)
    _refused(data + directory + end_records(2, len(directory), len(data)), "another order")


def test_an_encrypted_entry_is_refused() -> None:
    _refused(_patched(_patched(PLAIN, b"PK\x01\x02", 8, "<H", 1), b"PK\x03\x04", 6, "<H", 1), "is encrypted")


def test_an_entry_that_is_a_patch_is_refused() -> None:
    """Flag 5: some readers refuse such an entry, others take the data as it is."""
    _refused(_patched(_patched(PLAIN, b"PK\x01\x02", 8, "<H", 1 << 5), b"PK\x03\x04", 6, "<H", 1 << 5), "does not unpack")


@pytest.mark.parametrize("mark", [b"PK\x01\x02", b"PK\x03\x04"])
def test_an_entry_that_asks_for_a_later_format_is_refused(mark: bytes) -> None:
    """Some readers leave it out, and others take it."""
    archive = bytearray(_archive((_member("a.py"), BODY), (_member("b.py"), BODY)))
    archive[archive.index(mark) + (6 if mark == b"PK\x01\x02" else 4)] = 84
    with pytest.raises(IntegrityError, match=r"version 8\.4"):
        read_entries(io.BytesIO(bytes(archive)))


def test_a_flag_that_only_one_record_has_is_refused() -> None:
    _refused(_patched(PLAIN, b"PK\x03\x04", 6, "<H", 0x800), "says two things")


def test_a_second_name_in_an_extra_field_is_refused() -> None:
    name = b"evil.py"
    field = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(b"a.py")) + name
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("a.py")
        info.extra = field
        archive.writestr(info, BODY)
    _refused(file.getvalue(), "second name")


def _deflated(body: bytes, raw: bytes, size: int | None = None) -> bytes:
    member = _member("a.py", body, method=DEFLATED, compressed=len(raw), size=len(body) if size is None else size)
    return _archive((member, raw))


def _raw(body: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda raw: raw + b"hidden", "before or behind"),
        (lambda raw: raw[:-1], "before or behind|another size"),
        (lambda raw: b"\xff" + raw[1:], "cannot be unpacked|before or behind|another size"),
        (lambda raw: raw[:0], "before or behind"),
    ],
)
def test_a_stream_that_is_not_exactly_the_entry_is_refused(spoil: Callable[[bytes], bytes], words: str) -> None:
    body = bytes(range(256)) * 2000
    assert _read(_deflated(body, _raw(body))) == {"a.py": body}
    _refused(_deflated(body, spoil(_raw(body))), words)


def test_an_entry_is_never_larger_than_it_says() -> None:
    """A bomb is left when it has given one chunk too much."""
    body = b"\0" * (64 * 1024 * 1024)
    file = io.BytesIO(_deflated(body, _raw(body), size=10))
    (entry,) = read_entries(file)
    taken: list[int] = []
    with pytest.raises(IntegrityError, match="another size"):
        taken.extend(len(chunk) for chunk in content(file, entry))
    assert sum(taken) <= 10


def test_too_much_is_refused_before_it_is_read() -> None:
    many = [_member(f"{number}.py", size=300 * 1024 * 1024, compressed=300, method=DEFLATED) for number in range(2)]
    _refused(_archive(*((one, b"\0" * 300) for one in many)), "more than 512 MiB unpacked")
    count = _patched(_patched(PLAIN, b"PK\x05\x06", 8, "<H", 0xFFFE), b"PK\x05\x06", 10, "<H", 0xFFFE)
    _refused(count, "fewer records|damaged")
    _refused(_with_end_64(PLAIN, count=1 << 40), "more than 100000 entries")
