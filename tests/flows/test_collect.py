"""What several machines built is what one would have built, byte for byte; and what does not belong together is never joined."""

import base64
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.program import shipsafe
from tests.flows.fleet import (
    CODE,
    RECORD,
    SHELL,
    TEMPLATE,
    build,
    built_shares,
    collect,
    content,
    fleet,
    machine,
    packages,
    same_as_one_machine,
)  # fmt: skip

WAIVERS = """
[[waivers]]
rule = "lint/B602"
subject = "One"
reason = "r"
owner = "o"
expires = 2999-01-01

[[waivers]]
rule = "lint/B602"
subject = "Four"
reason = "nothing needs it"
owner = "o"
expires = 2999-01-01
"""
VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex", "author": "a", "version": 1,
    "timestamp": "2026-11-01T00:00:00Z",
    "statements": [
        {"vulnerability": {"name": name}, "products": [{"@id": "pkg:pypi/beta@2.0"}], "status": "not_affected",
         "justification": "vulnerable_code_not_in_execute_path"}
        for name in ("CVE-2026-7", "CVE-1999-1")
    ],
}  # fmt: skip
SOME_WRONG = {"src/one/app.py": SHELL, "src/two/app.py": SHELL}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with packages() as address:
        yield address


@pytest.mark.parametrize("shares", [2, 3])
def test_a_passing_project(tmp_path: Path, address: str, shares: int) -> None:
    report = same_as_one_machine(tmp_path, fleet(tmp_path, address), shares=shares)
    assert report["verdict"]["decision"] == "PASS"
    assert [one["name"] for one in report["artifacts"]] == ["One", "Two", "Three", "Four", "Node", "Common"]


def test_what_is_stated_is_signed_where_the_shares_are_joined(tmp_path: Path, address: str) -> None:
    """As one machine with that key would have signed it: the shares' own evidence is about shares, and is not taken over."""
    made = shipsafe("keys", "new", "ci.pem", "--unsafe-no-password", cwd=tmp_path)
    assert made.code == 0, made.err
    same_as_one_machine(tmp_path, fleet(tmp_path, address), "--key", f"unsafe-unencrypted:{tmp_path / 'ci.pem'}", shares=2)
    manifest = json.loads((tmp_path / "joined/work/fleet/dist/shipsafe.json").read_text())
    assert [one["evidence"]["signed"] for one in manifest["artifacts"]] == [True] * 6


def test_findings_that_block(tmp_path: Path, address: str) -> None:
    report = same_as_one_machine(tmp_path, fleet(tmp_path, address, SOME_WRONG))
    assert {one["subject"] for one in report["findings"] if one["decision"] == "blocking"} == {"function:One", "function:Two"}


def test_what_nobody_could_look_at(tmp_path: Path, address: str) -> None:
    files = {"src/two/app.py": "def handler(event, context:\n", "src/three/requirements.txt": "beta==3.0\n"}
    report = same_as_one_machine(tmp_path, fleet(tmp_path, address, files))
    assert (report["verdict"]["decision"], report["verdict"]["exit_code"]) == ("INCOMPLETE", 4)
    assert {one["subject"] for one in report["verdict"]["unanswered"]} == {"function:Two", "function:Three"}


def test_what_the_command_line_says_of_findings(tmp_path: Path, address: str) -> None:
    report = same_as_one_machine(tmp_path, fleet(tmp_path, address, SOME_WRONG), "--fail-on", "lint=critical", shares=2)
    assert report["verdict"]["decision"] == "PASS"
    assert report["overrides"] == ["--fail-on lint=critical"]


@pytest.mark.registry
def test_the_example_of_orders(tmp_path: Path, repository: Path) -> None:
    project = shutil.copytree(repository / "examples" / "orders", tmp_path / "orders")
    (project / ".git").mkdir()
    report = same_as_one_machine(tmp_path, project, shares=2)
    assert [one["name"] for one in report["artifacts"]] == ["CreateOrder", "ExportReport", "Notify", "Shared"]


def test_what_another_tool_builds_is_not_packed_by_anybody(tmp_path: Path, address: str) -> None:
    """Nor is a share made of it alone, which would have nothing to answer."""
    template = (
        TEMPLATE
        + """\
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/one/}
  MadeToo:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: layer/}
"""
    )
    report = same_as_one_machine(tmp_path, fleet(tmp_path, address, {"template.yaml": template}), shares=5)
    assert report["verdict"]["decision"] == "PASS"
    assert {one["subject"] for one in report["outcomes"] if one["gate"] == "package" and one["state"] == "not-asked"} == {
        "function:Made", "function:Boxed", "layer:MadeToo",
    }  # fmt: skip


def test_a_build_of_another_tool(tmp_path: Path, address: str) -> None:
    project = fleet(tmp_path, address, {"built/app.py": CODE + "OTHER = 1\n"})
    same_as_one_machine(tmp_path, project, "--prebuilt", "Four=built", shares=2)
    manifest = json.loads((tmp_path / "joined/work/fleet/dist/shipsafe.json").read_text())
    assert {one["name"]: one["source"] for one in manifest["artifacts"]}["Four"] == "prebuilt"
    left = sorted(tmp_path.glob("machine-*/work/fleet/dist"))
    without = collect(fleet(tmp_path / "other", address), left, env=machine(tmp_path / "other"))
    assert without.code == 5
    assert "is not true of what was brought" in without.err


def test_some_functions(tmp_path: Path, address: str) -> None:
    report = same_as_one_machine(tmp_path, fleet(tmp_path, address), "--function", "One", "--function", "Four", shares=2)
    assert [one["name"] for one in report["artifacts"]] == ["One", "Four", "Common"]


def test_waivers_vex_and_a_baseline(tmp_path: Path, address: str) -> None:
    """Shares call nothing unused that another share may need; the whole does."""
    files = {**SOME_WRONG, "advisories/PYSEC-2026-7.json": RECORD % "beta", "vex.json": json.dumps(VEX)}
    project = fleet(tmp_path, address, files, top='vex = ["vex.json"]\nbaseline = "known.toml"', policy=WAIVERS)
    (project / "known.toml").write_text("version = 1\n")
    words = ("--fail-on", "low")
    first = build(shutil.copytree(project, tmp_path / "first" / "fleet"), *words, env=machine(tmp_path / "first"))
    found = json.loads((tmp_path / "first" / "fleet" / "dist" / "report.json").read_text())["findings"]
    blocking = [one for one in found if one["decision"] == "blocking"]
    assert first.code == 1
    entries = "".join(
        f'\n[[findings]]\nrule = "{one["rule"]}"\nsubject = "{one["subject"]}"\nkey = {json.dumps(one["key"])}\nmessage = "m"\n'
        f'severity = "{one["severity"]}"\ndate = 2026-11-01\nowner = "o"\n'
        for one in blocking
    )
    (project / "known.toml").write_text(f"version = 1\n{entries}")
    report = same_as_one_machine(tmp_path, project, *words)
    assert report["verdict"]["decision"] == "PASS"
    assert [(note["news"], note["waiver"]["subject"]) for note in report["verdict"]["waiver_notes"]] == [("unused", "Four")]
    assert [note["message"] for note in report["verdict"]["vex_notes"] if note["news"] == "unmatched"] == [
        "1 statement speaks of nothing that was found: CVE-1999-1."
    ]
    shares = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("machine-*/work/fleet/dist/report.json"))]
    assert len(shares) == 3
    for share in shares:
        assert not [note for note in share["verdict"]["vex_notes"] if note["news"] == "unmatched"]
        asked = {outcome["subject"] for outcome in share["outcomes"]}
        unused = {note["waiver"]["subject"] for note in share["verdict"]["waiver_notes"] if note["news"] == "unused"}
        assert unused == ({"Four"} if "function:Four" in asked else set())
        assert not share["verdict"]["vanished"]
    assert sum(any(hint.startswith("Share ") for hint in share["hints"]) for share in shares) == 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, address: str) -> tuple[Path, list[Path]]:
    """A project and its three shares, which pass."""
    root = tmp_path_factory.mktemp("made")
    project = fleet(root, address)
    return project, built_shares(root, project, 3)


@pytest.fixture
def shares(made: tuple[Path, list[Path]], tmp_path: Path) -> list[Path]:
    """Copies of them, to be spoilt."""
    return [shutil.copytree(folder, tmp_path / f"share-{number}") for number, folder in enumerate(made[1])]


def joined(made: tuple[Path, list[Path]], tmp_path: Path, folders: list[Path], *words: str) -> tuple[int, str]:
    """Collect them; nothing may be published unless all is well. Gives the exit code and what was said."""
    out = tmp_path / "out"
    done = collect(made[0], folders, "--out", str(out), *words, env=machine(tmp_path))
    if done.code:
        assert not (out / "shipsafe.json").exists()
        assert not list(out.rglob("*.zip"))
    return done.code, done.err + done.out


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def holding(shares: list[Path], name: str) -> Path:
    """The first share that has an archive."""
    return next(folder for folder in shares if (folder / f"{name}.zip").exists())


def test_the_shares_as_they_are_pass_in_any_order(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    assert joined(made, tmp_path, shares)[0] == 0
    first = content(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    assert joined(made, tmp_path, [*reversed(shares), shares[0]])[0] == 0
    assert content(tmp_path / "out") == first


def test_a_share_that_is_missing_is_named_and_is_no_pass(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    gone = holding(shares, "Four")
    code, said = joined(made, tmp_path, [folder for folder in shares if folder != gone])
    assert code == 4
    assert "INCOMPLETE" in said
    _, said = joined(made, tmp_path, [folder for folder in shares if folder != gone], "--verbose")
    assert "function:Four" in said


def test_a_share_that_brought_no_files(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    (holding(shares, "Four") / "Four.zip").unlink()
    code, said = joined(made, tmp_path, shares)
    assert (code, "Four.zip: It is not there, and its report names it." in said) == (4, True)


def test_a_folder_without_a_report(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    (shares[0] / "report.json").unlink()
    code, said = joined(made, tmp_path, shares)
    assert (code, "There is no report.json in it." in said) == (2, True)


def longer_zip(folder: Path) -> None:
    with (folder / "Four.zip").open("ab") as file:
        file.write(b"more")


def other_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "Four.zip", "w") as archive:
        archive.writestr("app.py", SHELL)


def chained_zip(folder: Path) -> None:
    """Another zip, of which the manifest and the report tell the truth; the gates looked at something else."""
    other_zip(folder)
    data = (folder / "Four.zip").read_bytes()
    digests = {"sha256": hashlib.sha256(data).hexdigest(), "sha512": hashlib.sha512(data).hexdigest(),
               "code_sha256": base64.b64encode(hashlib.sha256(data).digest()).decode()}  # fmt: skip
    old = next(one for one in json.loads((folder / "report.json").read_text())["artifacts"] if one["name"] == "Four")["sha256"]
    sbom = (folder / "Four.cdx.json").read_text().replace(old, digests["sha256"])
    (folder / "Four.cdx.json").write_text(sbom)

    def change(document: Any) -> None:
        digest = hashlib.sha256(sbom.encode()).hexdigest()
        inner = f"100644 {hashlib.sha256(SHELL.encode()).hexdigest()} app.py\n"
        for one in document["artifacts"]:
            if one["name"] == "Four":
                known = {**digests, "content_digest": f"sha256:{hashlib.sha256(inner.encode()).hexdigest()}"}
                one["size"] = len(data)
                if "digests" in one:
                    one["digests"] = known
                    one.update({"unzipped": len(SHELL), "entries": 1, "sbom": {"path": "Four.cdx.json", "sha256": digest}})
                else:
                    one.update({key: value for key, value in known.items() if key != "sha512"}, sbom_sha256=digest)

    edit(folder / "report.json", change)
    edit(folder / "shipsafe.json", change)


def other_sbom(folder: Path) -> None:
    edit(folder / "Four.cdx.json", lambda document: document["components"].clear())


def link(folder: Path) -> None:
    (folder / "Four.zip").replace(folder / "elsewhere.zip")
    (folder / "Four.zip").symlink_to(folder / "elsewhere.zip")


def in_manifest(name: str, value: object) -> Callable[[Path], None]:
    def change(document: Any) -> None:
        for one in document["artifacts"]:
            target = one["digests"] if name in one["digests"] else one
            target[name] = value

    return lambda folder: edit(folder / "shipsafe.json", change)


def in_report(name: str, value: object) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "report.json", lambda document: document.update({name: value}))


def in_artifacts(name: str, value: object) -> Callable[[Path], None]:
    def change(document: Any) -> None:
        for one in document["artifacts"]:
            one[name] = value

    return lambda folder: edit(folder / "report.json", change)


def no_manifest_entry(folder: Path) -> None:
    edit(folder / "shipsafe.json", lambda document: document["artifacts"].clear())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (longer_zip, "It is not what its share built"),
        (other_zip, "It is not what its share built"),
        (chained_zip, "holds something else than what was asked about"),
        (other_sbom, "It is not what its share built"),
        (link, "Not a regular file"),
        *((in_manifest(name, value), "is not true of what was brought") for name, value in [
            ("path", "../../x"), ("path", "/etc/passwd"), ("size", 1), ("size", "1"), ("unzipped", -1), ("entries", 10**30),
            ("content_digest", "sha256:" + "0" * 64), ("code_sha256", "x"), ("sha512", None), ("source", "prebuilt"), ("gates", {}),
        ]),
        (in_artifacts("path", "../../../x.zip"), "is not true of what was brought"),
        (in_artifacts("sha256", "0" * 64), "It is not what its share built"),
        (in_artifacts("sbom_sha256", "0" * 64), "It is not what its share built"),
        (in_artifacts("subject", "function:Other"), "It is not the release manifest of the report beside it"),
        (no_manifest_entry, "It is not the release manifest of the report beside it"),
        (in_report("policy_digest", "sha256:" + "0" * 64), "differ in their policy digest."),
        (in_report("epoch", 1), "differ in their time of the commit."),
        (in_report("project", "other"), "differ in their project."),
        (in_report("template", "other.yaml"), "differ in their template."),
        (in_report("tools", {"shipsafe": "0"}), "differ in their tools."),
        (in_report("overrides", ["--fail-on never"]), "differ in their overrides."),
        (in_report("command", "check"), "differ in their command."),
    ],
)  # fmt: skip
def test_what_is_not_as_it_was_built_is_not_joined(
    made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:  # fmt: skip
    spoil(holding(shares, "Four"))
    code, screen = joined(made, tmp_path, shares)
    assert (code, said in screen) == (5, True), screen
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["report.json", "shipsafe.json"])
@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"artifacts": 1}', '{"artifacts": [1]}', "[" * 100_000, '{"a": ' + "9" * 100_000 + "}", "\udcff", '"x'],
    ids=["empty", "list", "null", "number", "inner", "deep", "digits", "bytes", "half"],
)  # fmt: skip
def test_hostile_json_is_refused_in_one_sentence(
    made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path, name: str, text: str
) -> None:  # fmt: skip
    (shares[0] / name).write_bytes(text.encode(errors="surrogateescape"))
    code, said = joined(made, tmp_path, shares)
    assert code in (2, 5)
    assert len(said.splitlines()) == 1
    assert name in said


def test_two_shares_that_disagree(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    """The layer stands in several shares, and one of them says something else of it."""
    both = [folder for folder in shares if (folder / "Common.zip").exists()]
    assert len(both) > 1

    def change(document: Any) -> None:
        for outcome in document["outcomes"]:
            if outcome["subject"] == "layer:Common" and outcome["gate"] == "package":
                outcome["notes"] = ["all is well"]

    edit(both[1] / "report.json", change)
    code, said = joined(made, tmp_path, shares)
    assert (code, "Two shares disagree about package of layer:Common." in said) == (5, True)


@pytest.mark.parametrize("which", [0, 1])
def test_a_layer_that_one_of_two_shares_could_not_look_at(
    made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path, which: int
) -> None:  # fmt: skip
    """An outage is no disagreement, and no pass."""
    both = [folder for folder in shares if (folder / "Common.zip").exists()]

    def change(document: Any) -> None:
        for outcome in document["outcomes"]:
            if outcome["subject"] == "layer:Common" and outcome["gate"] == "dependencies":
                outcome |= {"state": "unanswered", "reason": "nobody answered there", "findings": []}

    edit(both[which] / "report.json", change)
    code, said = joined(made, tmp_path, shares)
    assert (code, "nobody answered there" in said) == (4, True), said


def test_shares_that_were_asked_about_different_advisories(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    edit(shares[1] / "report.json", lambda document: document["advisories"].update({"digest": "sha256:" + "1" * 64}))
    code, said = joined(made, tmp_path, shares)
    assert (code, "Two shares were asked about different advisories." in said) == (5, True)


def test_shares_that_pulled_one_snapshot_at_different_times(tmp_path: Path, address: str) -> None:
    """As jobs do that are given one file of advisories: the oldest pull is what is said of all."""
    policy = '[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n'
    text = (fleet(tmp_path, address) / "shipsafe.toml").read_text()
    project = fleet(tmp_path, address, {"shipsafe.toml": text.replace(policy, "")})
    assert policy in text
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("PYSEC-2026-7.json", RECORD % "nothing")
    for number in (1, 2):
        place = tmp_path / f"machine-{number}"
        place.mkdir()
        pulled = shipsafe("advisories", "pull", "--from", tmp_path / "all.zip", cwd=place, env=machine(place))
        assert pulled.code == 0, pulled.err
    left = built_shares(tmp_path, project, 2)
    edit(left[0] / "report.json", lambda document: document["advisories"].update({"date": "2026-11-20T10:00:00+00:00"}))
    done = collect(project, left, "--report", f"json={tmp_path / 'report.json'}", env=machine(tmp_path))
    told = json.loads((tmp_path / "report.json").read_text())["advisories"]
    assert (done.code, told["source"], told["date"]) == (0, "snapshot", "2026-11-20T10:00:00+00:00"), done.err


def test_answers_about_what_this_project_does_not_have(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    edit(shares[0] / "report.json", lambda document: document["outcomes"][0].update({"subject": "function:Gone"}))
    code, said = joined(made, tmp_path, shares)
    assert (code, "about function:Gone, which nobody asks here." in said) == (5, True)
    edit(shares[0] / "report.json", lambda document: document["outcomes"][0].update({"subject": "function:\x1b[2J"}))
    code, said = joined(made, tmp_path, shares)
    assert (code, "\x1b" in said) == (5, False)


def test_the_verdict_of_a_share_is_not_believed(tmp_path: Path, address: str) -> None:
    """A share says PASS over a finding that blocks: it is judged anew."""
    project = fleet(tmp_path, address, SOME_WRONG)
    left = built_shares(tmp_path, project, 2)
    for folder in left:
        edit(folder / "report.json", lambda document: document["verdict"].update({"decision": "PASS", "exit_code": 0}))
    done = collect(project, left, env=machine(tmp_path))
    assert done.code == 1
    assert not (project / "dist" / "shipsafe.json").exists()


def test_shares_of_another_policy_than_the_one_here(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    stricter = shutil.copytree(made[0], tmp_path / "stricter" / "fleet")
    with (stricter / "shipsafe.toml").open("a") as file:
        file.write('\n[gates.lint]\nfail-on = "low"\n')
    code, said = joined((stricter, made[1]), tmp_path, shares)
    assert (code, "differ in their policy digest." in said) == (5, True)


def test_a_project_that_has_grown_since(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    grown = shutil.copytree(made[0], tmp_path / "grown" / "fleet")
    with (grown / "template.yaml").open("a") as file:
        file.write(
            "  New:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/one}\n"
        )
    code, said = joined((grown, made[1]), tmp_path, shares)
    assert code == 4, said


def test_what_is_brought_is_copied_and_not_linked(made: tuple[Path, list[Path]], shares: list[Path], tmp_path: Path) -> None:
    """Whoever writes to a share later does not write to the release."""
    assert joined(made, tmp_path, shares)[0] == 0
    before = content(tmp_path / "out")
    for folder in shares:
        for path in folder.glob("*.zip"):
            path.write_bytes(b"other")
    assert content(tmp_path / "out") == before


def test_what_needs_the_whole_project_is_refused_for_a_share(made: tuple[Path, list[Path]], tmp_path: Path) -> None:
    done = build(made[0], "--shard", "1/2", "--write-baseline", "known.toml", "--baseline-owner", "o", env=machine(tmp_path))
    assert (done.code, "No share has the whole project" in done.err) == (2, True)
