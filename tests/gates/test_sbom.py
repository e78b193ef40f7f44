"""The gate `sbom`: a document per subject, what it lacks, and a second opinion that runs nothing of the tree."""

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.files import sha256_file
from shipsafe.adapters.process import run
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.schema import validate
from shipsafe.gates.sbom import DOCUMENT, GATE
from shipsafe.model.gate import Inquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import GatePolicy, Policy
from shipsafe.model.project import Code, CodeKind, Function, Project
from shipsafe.model.severity import Severity
from shipsafe.model.tree import FILE_MODE, Distribution, Entry, Origin
from shipsafe.packing.distributions import describe
from shipsafe.packing.needs import Needs
from shipsafe.packing.runtimes import environment
from shipsafe.packing.sets import Sets
from shipsafe.packing.stage import stage
from tests.answers import answers_of
from tests.gates.own_code import ask_about

SUPPLIER = {"supplier": "ACME Ltd"}
CROSS_CHECK = {"cross-check": True, **SUPPLIER}
CODE = {"app.py": "def handler(event, context): ...\n"}
DEMO = {"demo/__init__.py": "", "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nAuthor: Ada\n"}


def ask(folder: Path, dependencies: Mapping[str, str | bytes], **options: Any) -> tuple[Outcome, Inquiry]:
    """The gate's outcome about a function with these files of dependencies, described as staging describes them."""
    root = folder / "described"
    root.mkdir(exist_ok=True)
    shipped = {}
    for name, content in dependencies.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        shipped[name] = Entry(
            path=name, mode=FILE_MODE, size=path.stat().st_size, sha256=sha256_file(path), source=path, origin=Origin.DEPENDENCY
        )
    found: tuple[Distribution, ...] = describe(
        shipped, prefix="", known=(), pinned={}, needs=Needs(), environment=environment("3.11", "x86_64")
    )
    given: dict[str, Any] = {"settings": SUPPLIER, "epoch": 1_700_000_000, **options}
    inquiry = ask_about(folder, CODE, gate="sbom", dependencies=dependencies, distributions=found, **given)
    return GATE.run(inquiry), inquiry


def document(inquiry: Inquiry) -> dict[str, Any]:
    """What the gate left for the build to finish."""
    data = (inquiry.workspace / DOCUMENT).read_bytes()
    assert validate(data) == ()
    content: dict[str, Any] = json.loads(data)
    return content


def metadata_place(component: dict[str, Any]) -> str:
    """The folder of the tree in which a distribution of the document says its name."""
    [place] = [str(one["value"]) for one in component["properties"] if one["name"] == "shipsafe:metadata"]
    return place


def test_a_tree_where_all_is_known_has_no_finding_and_leaves_its_document(tmp_path: Path) -> None:
    outcome, inquiry = ask(tmp_path, DEMO)
    assert (outcome.state, outcome.findings) == (State.ANSWERED, ())
    assert outcome.evidence == {"format": "CycloneDX 1.6", "distributions": 1, "files": 3, "cross-checked": False}
    content = document(inquiry)
    assert content["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert {one["name"] for one in content["components"]} == {"app.py", "demo", *DEMO}


def test_the_same_tree_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
    _, first = ask(tmp_path / "one", DEMO)
    _, second = ask(tmp_path / "another", DEMO)
    assert (first.workspace / DOCUMENT).read_bytes() == (second.workspace / DOCUMENT).read_bytes()


def test_one_finding_for_each_component_that_lacks_something(tmp_path: Path) -> None:
    nameless = {"plain-2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: plain\nVersion: 2.0\n"}
    outcome, _ = ask(tmp_path, DEMO | nameless, settings={}, epoch=None)
    root, plain = outcome.findings
    assert root.message == "The SBOM of Orders lacks: supplier, author of the SBOM, timestamp."
    assert str(root.location) == "template.yaml:3"
    assert plain.message == "plain 2.0 lacks: supplier."
    assert (plain.package, plain.version) == ("plain", "2.0")
    assert {(one.rule, one.severity) for one in outcome.findings} == {("sbom/ntia", Severity.LOW)}
    assert root.identity != plain.identity


@pytest.mark.parametrize(
    ("files", "supplier"),
    [
        ({"pyproject.toml": '[project]\nname = "a"\nauthors = [{name = "Root Ltd"}]\n'}, "Root Ltd"),
        (
            {
                "pyproject.toml": '[project]\nauthors = [{name = "Root Ltd"}]\n',
                "src/orders/pyproject.toml": '[project]\nauthors = [{name = " Near\\tLtd "}]\n',
            },
            "Near Ltd",
        ),
        (
            {
                "pyproject.toml": '[project]\nauthors = [{name = "Root Ltd"}]\n',
                "src/orders/pyproject.toml": "[tool.bandit]\n",
            },
            "Root Ltd",
        ),
        ({"pyproject.toml": '[project]\nauthors = "nonsense"\n'}, None),
        ({"pyproject.toml": "project = 1\n"}, None),
        ({"pyproject.toml": '[project]\nauthors = [1, {email = "a@b"}, {name = 3}]\n'}, None),
    ],
)
def test_the_supplier_is_the_first_author_of_the_nearest_pyproject_that_has_one(
    tmp_path: Path, files: Mapping[str, str], supplier: str | None
) -> None:
    _, inquiry = ask(tmp_path, {}, settings={}, project_files=files)
    assert document(inquiry)["metadata"]["component"].get("supplier", {}).get("name") == supplier


def test_the_policys_supplier_wins(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[project]\nauthors = [{name = "Root Ltd"}]\n'}
    _, inquiry = ask(tmp_path, {}, project_files=files)
    assert document(inquiry)["metadata"]["component"]["supplier"] == {"name": "ACME Ltd"}


@pytest.mark.parametrize("settings", [{"supplier": 3}, {"supplier": "  "}, {"cross-check": "yes"}])
def test_a_setting_of_another_kind_is_refused(tmp_path: Path, settings: Mapping[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"gates\.sbom\."):
        ask(tmp_path, {}, settings=settings)


def test_a_pyproject_that_is_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pyproject\.toml"):
        ask(tmp_path, {}, settings={}, project_files={"pyproject.toml": "= broken"})


def test_a_second_tool_that_lists_the_same_is_content(tmp_path: Path) -> None:
    outcome, _ = ask(tmp_path, DEMO, settings=CROSS_CHECK)
    assert outcome.findings == ()
    assert outcome.evidence["cross-checked"] is True


def test_a_distribution_that_only_the_second_tool_sees_is_a_finding(tmp_path: Path) -> None:
    """What pip left of an old installation is on the path, and staging does not take it for a distribution."""
    legacy = {"legacy.egg-info/PKG-INFO": "Metadata-Version: 1.0\nName: Legacy\nVersion: 0.3\n"}
    outcome, _ = ask(tmp_path, DEMO | legacy, settings=CROSS_CHECK)
    [finding] = outcome.findings
    assert (finding.rule, finding.severity, finding.key) == ("sbom/mismatch", Severity.HIGH, "legacy@0.3")
    assert finding.message == "legacy 0.3 is not in the SBOM and in the list of cyclonedx-py."
    assert str(finding.location) == "template.yaml:3"


def test_a_version_that_only_we_see_is_a_finding(tmp_path: Path) -> None:
    """Staging reads a version that the metadata lacks from the name of the folder; the second tool does not."""
    outcome, _ = ask(tmp_path, {"demo-1.0.dist-info/METADATA": "Name: demo\nAuthor: Ada\n"}, settings=CROSS_CHECK)
    messages = {one.message for one in outcome.findings if one.rule == "sbom/mismatch"}
    assert messages == {
        "demo 1.0 is in the SBOM and not in the list of cyclonedx-py.",
        "demo of unknown version is not in the SBOM and in the list of cyclonedx-py.",
    }


def test_metadata_below_a_vendored_folder_is_on_nobodys_path(tmp_path: Path) -> None:
    """A distribution that carries another one inside itself: the SBOM lists it, and Python would not find it."""
    inner = {f"demo/_vendor/{name}".replace("demo-", "inner-"): text for name, text in DEMO.items() if "dist-info" in name}
    outcome, inquiry = ask(tmp_path, DEMO | inner, settings=CROSS_CHECK)
    assert outcome.findings == ()
    assert outcome.evidence["distributions"] == 2
    refs = [one["bom-ref"] for one in document(inquiry)["components"]]
    assert len(refs) == len(set(refs))


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (b"Name: demo\nVersion: 1.0\nAuthor: J\xf6rg\n", "demo-1.0.dist-info/METADATA: cyclonedx-py cannot read metadata"),
        (b"Name: demo\nVersion: 1.0\n\n" + b"x" * 5_000_000, "demo-1.0.dist-info/METADATA: Metadata larger than 4 MiB"),
        (b"", "could not list the distributions: Invalid purl: name is a required argument. Take"),
    ],
)
def test_what_the_second_tool_cannot_read_has_no_answer_and_says_why(tmp_path: Path, metadata: bytes, says: str) -> None:
    with pytest.raises(IncompleteError) as caught:
        ask(tmp_path, {"demo-1.0.dist-info/METADATA": metadata}, settings=CROSS_CHECK)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "metadata",
    [
        b"",
        b"\xff\xfe\x00" * 1000,
        b"Name: caf\xe9\nVersion: \xe9\nAuthor: \xe9\nLicense: \xe9\n",
        b"Name: de\n mo\nVersion: 1\n .0\n",
        b"Name: demo\nVersion: 1.0\nAuthor: " + b"a" * 5_000_000,
        b"Name: demo\nVersion: 1.0\n" + b"Classifier: License :: x\n" * 10_000,
        b"Name: demo\nVersion: 1.0\nLicense-Expression: " + b"(" * 100_000,
        b"Name: demo\nVersion: 1.0\nAuthor-email: " + b'"a <' * 100_000,
    ],
)
def test_hostile_metadata_gives_a_valid_document(tmp_path: Path, metadata: bytes) -> None:
    outcome, inquiry = ask(tmp_path, {"demo-1.0.dist-info/METADATA": metadata})
    assert outcome.state is State.ANSWERED
    assert len([one for one in document(inquiry)["components"] if one["type"] == "library"]) == 1


# Every way in which a folder on Python's path gets to run: at the start, by shadowing, and as the tool itself.
TRAPS = ("sitecustomize.py", "usercustomize.py", "json.py", "re.py", "argparse.py", "cyclonedx_py/__init__.py", "venv/__init__.py")


def test_the_second_opinion_runs_nothing_of_the_tree(tmp_path: Path) -> None:
    """The command as CycloneDX documents it does run it, which is why the tree itself is never on its path."""
    marker = tmp_path / "ran"
    trap = f"open({str(marker)!r}, 'a').write(__file__)\n"
    traps = {**dict.fromkeys(TRAPS, trap), "trap.pth": f"import sys; {trap}"}
    outcome, inquiry = ask(tmp_path, DEMO | traps, settings=CROSS_CHECK)
    assert (outcome.state, outcome.findings) == (State.ANSWERED, ())
    assert not marker.exists()
    run([sys.executable, "-m", "cyclonedx_py", "--version"], cwd=tmp_path, env={"PYTHONPATH": str(inquiry.staged.root)})
    assert marker.exists()


@pytest.mark.registry
def test_on_a_staged_tree_the_second_opinion_is_that_of_the_documented_command(tmp_path: Path) -> None:
    """Real uv, a real tree, and `PYTHONPATH=TREE cyclonedx-py environment EMPTY_VENV` on it."""
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "app.py").write_text("", encoding="utf-8")
    pins = "attrs==24.2.0\nruamel.yaml==0.18.6\npython-dateutil==2.9.0.post0\nsix==1.16.0\nzope.interface==7.1.1\n"
    (root / "src" / "requirements.txt").write_text(pins, encoding="utf-8")
    function = Function(
        name="Orders",
        runtime="python3.12",
        handler="app.handler",
        code=Code(kind=CodeKind.FOLDER, path="src"),
        location=Location(path="template.yaml", line=3),
    )
    project = Project(root=root, template="template.yaml", functions=(function,))
    policy = Policy(path="shipsafe.toml", digest="sha256:0", gates={"sbom": GatePolicy(settings=CROSS_CHECK)})
    for name in ("stage", "gate"):
        (tmp_path / name).mkdir()
    sets = Sets(tmp_path / "sets", answers_of(tmp_path / "cache"))
    tree = stage(function, project, policy, workspace=tmp_path / "stage", sets=sets, offline=False)
    inquiry = Inquiry(
        project=project, subject=function, policy=policy, today=date(2026, 11, 21), workspace=tmp_path / "gate", tree=tree, epoch=1
    )
    assert GATE.run(inquiry).findings == ()
    venv, target = tmp_path / "venv", tmp_path / "theirs.json"
    for entry in tree.entries:
        (tmp_path / "path" / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "path" / entry.path).hardlink_to(entry.source)
    run([sys.executable, "-m", "venv", "--without-pip", venv], cwd=tmp_path)
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "-o", str(target), str(venv)]
    assert run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "path")}).returncode == 0
    theirs = {(one["name"], one["version"]) for one in json.loads(target.read_bytes())["components"]}
    listed = [one for one in document(inquiry)["components"] if one["type"] == "library"]
    # zope.interface brings setuptools, which carries others inside itself; whether they are listed or not, Python sees none.
    ours = {(one["name"], one["version"]) for one in listed if "/" not in metadata_place(one)}
    assert ours == theirs
    assert {"ruamel.yaml", "zope.interface"} <= {name for name, _ in ours}
