"""requirements.txt is read as pip reads it, for the function's runtime, and every refusal names its line."""

from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.packing.requirements import Requirements, read_requirements
from shipsafe.packing.runtimes import environment
from tests.packing.staging import write

HASH = "sha256:" + "a" * 64


def read(root: Path, name: str = "requirements.txt", architecture: str = "x86_64") -> Requirements:
    return read_requirements(root / name, root=root, boundary=root, environment=environment("3.13", architecture))


def refusal(root: Path, text: str | bytes) -> str:
    write(root, {"requirements.txt": text})
    with pytest.raises(IncompleteError) as caught:
        read(root)
    return str(caught.value)


def test_comments_continuations_hashes_and_markers_are_read_as_pip_reads_them(tmp_path: Path) -> None:
    text = f"""# a comment
idna==3.7 \\
    --hash={HASH} \\
    --hash=sha512:{"B" * 128} \\
    # via a comment, which ends the line
six>=1.16 ; python_version < "3.0"
colorama ; sys_platform == "win32"
requests[socks] >= 2 ; platform_machine == "x86_64"
"""
    found = read(write(tmp_path, {"requirements.txt": text}))
    assert [one.line() for one in found.wanted] == [f"idna==3.7 --hash={HASH} --hash=sha512:{'b' * 128}", "requests[socks]>=2"]
    assert [str(one.location) for one in found.wanted] == ["requirements.txt:2", "requirements.txt:8"]
    assert [one.locked for one in found.wanted] == [True, False]


def test_markers_are_those_of_the_function_not_of_this_machine(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": 'a ; platform_machine == "aarch64"\nb ; python_full_version >= "3.13"\n'})
    assert [one.name for one in read(tmp_path, architecture="arm64").wanted] == ["a", "b"]
    assert [one.name for one in read(tmp_path).wanted] == ["b"]


def test_nested_files_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    files = {
        "src/requirements.txt": "-r ../shared/base.txt\n-c limits.txt\nsix\n",
        "shared/base.txt": "--requirement=more.txt\nidna\n",
        "shared/more.txt": "--require-hashes\nattrs\n",
        "src/limits.txt": "idna<4\n-r ../shared/more.txt\n",
    }
    found = read(write(tmp_path, files), "src/requirements.txt")
    assert [(one.name, str(one.location)) for one in found.wanted] == [
        ("attrs", "shared/more.txt:2"), ("idna", "shared/base.txt:2"), ("six", "src/requirements.txt:3")]  # fmt: skip
    assert [str(one.requirement) for one in found.constraints] == ["idna<4", "attrs"]
    assert found.files == ["src/requirements.txt", "shared/base.txt", "shared/more.txt", "src/limits.txt"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(tmp_path: Path, encoding: str) -> None:
    write(tmp_path, {"requirements.txt": "idna==3.7\n# ü\n".encode(encoding)})
    assert [one.name for one in read(tmp_path).wanted] == ["idna"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-e git+https://example.com/x.git", "-e is refused: it names no folder of the repository"),
        ("-e ./local.whl", "-e is refused: it names no folder of the repository"),
        ("--editable=https://example.com/x", "--editable is refused"),
        ("-e .[extra]", "is a folder with more to it"),
        (".[extra]", "is a folder with more to it"),
        ("./local ; python_version > '3'", "is a folder with more to it"),
        ("~/local", "is a folder with more to it"),
        ("./local\0", "is a folder with more to it"),
        ("local.whl", "is a path, which no index vouches for"),
        ("./local-1.0.tar.gz", "is a path, which no index vouches for"),
        ("file:///tmp/local", "is a URL or a repository"),
        ("https://user:secret@example.com/x.whl", "'https://example.com/x.whl' is a URL or a repository"),
        ("git+https://example.com/x.git", "is a URL or a repository"),
        ("name @ file:///tmp/local", "name is asked for by URL"),
        ("name @ git+ssh://git@example.com/x", "name is asked for by URL"),
        ("--no-binary :all:", "--no-binary is refused: it would run the package's build code"),
        ("--no-binary=:all:", "--no-binary is refused"),
        ("six --no-binary six", "--no-binary is refused"),
        ("six --config-settings=x=y", "--config-settings is refused"),
        ("six --global-option build", "--global-option is refused"),
        ("-i https://example.com/simple", "-i is refused: where packages come from belongs in the policy: [indexes] default"),
        ("--index-url=https://example.com", "[indexes] default"),
        ("--extra-index-url https://example.com", "[indexes] extra"),
        ("--find-links .", "--find-links is refused"),
        ("-f .", "-f is refused"),
        ("--trusted-host example.com", "--trusted-host is refused: it switches the check of certificates off"),
        ("--pre", "a pre-release is chosen by naming its version"),
        ("--what-is-this", "--what-is-this is refused: shipsafe does not know this option"),
        ("--edit .", "--edit is refused: shipsafe does not know this option"),
        ("-", "- is refused"),
        ("idna==${VERSION}", "variables are not expanded"),
        ("idna==", "is not a requirement"),
        ('idna ; python_version > "x" and', "is not a requirement"),
        ("idna==3.7 --hash=md5:" + "a" * 32, "is no SHA-256, SHA-384 or SHA-512"),
        ("idna==3.7 --hash=sha256:abc", "is no SHA-256, SHA-384 or SHA-512"),
        ("-r https://example.com/list.txt", "is a URL, and lists are read from the project alone"),
        ("-r ../../outside.txt", "lies outside the project"),
        ('-r "unclosed', "The line cannot be read: No closing quotation"),
    ],
)
def test_what_could_run_code_or_look_elsewhere_is_refused_with_its_line_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    message = refusal(tmp_path, f"six==1.17.0\n{line}\n")
    assert reason in message
    if "outside" not in reason:
        assert message.startswith("requirements.txt:2: ")
    assert "secret" not in message


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "-r requirements.txt\n"})
    assert "includes itself" in refusal(tmp_path, "-r a.txt\n")


def test_files_that_multiply_by_including_each_other_are_refused(tmp_path: Path) -> None:
    """Ten files that each include the next twice would be read 1,024 times, twenty a million times."""
    write(tmp_path, {f"{number}.txt": f"-r {number + 1}.txt\n-r {number + 1}.txt\n" for number in range(14)} | {"14.txt": "six\n"})
    assert "more than 200 times" in refusal(tmp_path, "-r 0.txt\n")


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"six\n\xff\xfe\xfa\n").startswith("requirements.txt:2: Not UTF-8.")


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    assert "none.txt: Cannot be read: No such file" in refusal(tmp_path, "-r none.txt\n")
    assert "Larger than 4 MiB" in refusal(tmp_path, b"#" * (4 * 1024 * 1024 + 1))


def test_a_link_to_a_list_outside_the_project_is_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"list.txt": "six\n"})
    root = write(tmp_path / "project", {"requirements.txt": "-r linked.txt\n"})
    (root / "linked.txt").symlink_to(outside / "list.txt")
    with pytest.raises(IncompleteError, match=r"linked.txt: linked.txt lies outside the project"):
        read(root)


def test_a_folder_is_a_local_package_relative_to_its_file(tmp_path: Path) -> None:
    files = {"src/requirements.txt": "-e ../a\n-r ../more.txt\n--editable=b\n./c # why\nidna==3.7\n", "more.txt": "-e .\n"}
    found = read(write(tmp_path, files), "src/requirements.txt")
    assert [(folder.relative_to(tmp_path).as_posix(), str(place)) for folder, place in found.local] == [
        ("a", "src/requirements.txt:1"), (".", "more.txt:1"), ("src/b", "src/requirements.txt:3"), ("src/c", "src/requirements.txt:4"),
    ]  # fmt: skip
    assert [one.name for one in found.wanted] == ["idna"]


def test_a_constraint_is_no_local_package(tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match=r"limits.txt:1: -e is refused"):
        read(write(tmp_path, {"requirements.txt": "-c limits.txt\n", "limits.txt": "-e ./local\n"}))


@pytest.mark.parametrize(
    "line",
    [
        "p @ https://me:hunter2@host/p.whl",
        f"p[{'extra,' * 8}extra] @ https://me:hunter2@host/p.whl",
        f"{'p' * 60} @ https://me:hunter2{'x' * 60}@host/p.whl",
        "p @ https://me:hunter2@host",
        "p @ https://me:hunter2@",
        "p @ git+https://me:hunter2@host/p ; python_version > '3",
        "p @@ https://me:hunter2@host/p.whl",
        "-r https://me:hunter2@host/list.txt",
        "-c https://me:hunter2@host/list.txt",
        "-e git+https://me:hunter2@host/p",
        "-e ./lib@https://me:hunter2@host/p",
        "https://me:hunter2@host/p.whl",
        "https://me:p@hunter2@host/p.whl",
        "git+https://me:hunter2@host/p",
        "--index-url https://me:hunter2@host/simple",
        "--find-links=https://me:hunter2@host/simple",
        "p --index-url https://me:hunter2@host/simple",
    ],
)
def test_no_refusal_tells_a_credential(tmp_path: Path, line: str) -> None:
    said = refusal(tmp_path, f"{line}\n")
    assert said.startswith("requirements.txt:1: ")
    assert "hunter2" not in said
