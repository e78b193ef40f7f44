"""Whatever a gate reads is part of its question: an answer that was kept is never used where the gate might say something else."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from shipsafe.adapters.cache import canonical
from shipsafe.flows import answers
from shipsafe.gates import subject_gates
from shipsafe.model.advisory import AdvisoryInfo, Answer, Pin
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.preference import Preference
from shipsafe.model.project import Code, CodeKind, Function, Layer, LayerRef, Subject, Unresolved
from shipsafe.model.tree import Distribution, Source, StagedTree
from shipsafe.policy import load
from tests.gates.own_code import ask_about

KEPT = [gate for gate in subject_gates() if gate.inputs is not None]
PLACE = Location(path="template.yaml", line=3)
# What each attribute of the policy comes from: a gate that reads another one must be thought about here.
POLICY = {
    "first_party": 'first-party = ["acme-*"]',
    "is_first_party": 'first-party = ["acme-*"]',
    "accounts": 'accounts = ["111122223333"]',
    "publishers": '[layers]\npublishers = ["111122223333"]',
    "refuses_prebuilt": 'prebuilt = "refuse"',
    "claimant": '[[indexes.named]]\nname = "acme"\nurl = "https://pypi.acme.example/simple"\npackages = ["acme-*"]',
    "pypi_mirrors": '[indexes]\nmirrors-pypi = ["https://mirror.example/simple"]',
    "gate": '[gates.lint]\nsuppressions = "ignore"',
}
# What each gate reads of an inquiry beside its subject, the trees, the policy and its own folder: `inputs` has to say so.
SAID = {
    "dependencies": {"advisories", "today"},
    "lint": {"project"},
    "package": set(),
    "sbom": {"epoch", "project"},
}
ALWAYS = {"subject", "tree", "staged", "layer_trees", "policy", "settings", "workspace"}
FILES = {"app.py": "import pickle\ndef handler(event, context):\n    assert event\n"}


class _Reading:
    """Stands for a noun, and takes note of what is read of it."""

    def __init__(self, noun: object, **parts: object) -> None:
        self._noun, self._parts, self.read = noun, parts, set[str]()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return self._parts.get(name) or getattr(self._noun, name)


class _Feed:
    """No advisories, of a state that can be named."""

    def __init__(self, digest: str) -> None:
        self.info = AdvisoryInfo(source="folder", label="a feed", digest=digest)

    def ask(self, pins: Iterable[Pin]) -> list[Answer]:
        return [Answer(pin=pin) for pin in pins]


def _never(url: str) -> bytes:
    pytest.fail(f"{url} was fetched")


def policy_of(folder: Path, text: str = "") -> Policy:
    folder.mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "shipsafe.toml").write_text(text, encoding="utf-8")
    return load(folder, offline=True, cache=folder, fetch=_never, today=date(2026, 11, 21))


def inquiry_of(folder: Path, **changes: Any) -> Inquiry:
    """A function with code, a dependency, a layer of its own and somebody else's."""
    folder.mkdir(parents=True)
    paths = ("lib/__init__.py", "lib-1.0.dist-info/METADATA")
    lib = Distribution(
        name="lib", version="1.0", source=Source.INDEX, index="https://pypi.org/simple", dist_info="lib-1.0.dist-info", paths=paths
    )
    asked = ask_about(
        folder,
        FILES,
        dependencies={paths[0]: "", paths[1]: "Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n\n"},
        distributions=(lib,),
        project_files={"pyproject.toml": '[project]\nauthors = [{name = "ACME"}]\n'},
        epoch=1_700_000_000,
    )
    assert isinstance(asked.subject, Function)
    subject = replace(
        asked.subject,
        layers=(LayerRef(text="!Ref Common", local="Common"), LayerRef(text="arn", arn="arn:aws:lambda:eu-west-1:999988887777:layer:a:1")),
    )
    layer = replace(asked.staged, subject="layer:Common", fingerprint="of the layer")
    told = replace(asked, subject=subject, tree=marked(asked.staged), layer_trees=(layer,), policy=policy_of(folder / "policy"))
    return replace(told, **{"advisories": _Feed("sha256:1"), **changes})


def marked(tree: StagedTree) -> StagedTree:
    """The tree with the fingerprint that staging would give it: equal for equal trees only."""
    entries = [replace(entry, source=Path()) for entry in tree.entries]
    return replace(tree, fingerprint=hashlib.sha256(canonical([entries, tree.distributions, tree.problems])).hexdigest())


def question(gate: Gate, inquiry: Inquiry) -> bytes:
    asked = answers.question(gate, inquiry, asking=answers.asking_part(inquiry.policy))
    assert asked is not None
    return canonical(asked)


every_gate = pytest.mark.parametrize("gate", KEPT, ids=lambda gate: gate.id)


@every_gate
def test_a_gate_reads_only_what_its_question_holds(gate: Gate, tmp_path: Path) -> None:
    for name, text in (("plain", ""), ("strict", 'extends = "strict"\n[gates.dependencies]\ncooldown = "0d"\n')):
        inquiry = inquiry_of(tmp_path / name, policy=policy_of(tmp_path / f"policy of {name}", text))
        policy = _Reading(inquiry.policy)
        reading = _Reading(inquiry, policy=policy)
        gate.run(reading)  # type: ignore[arg-type]
        assert reading.read <= ALWAYS | SAID[gate.id]
        assert policy.read <= POLICY.keys()


@every_gate
@pytest.mark.parametrize("attribute", POLICY)
def test_what_is_read_of_the_policy_is_asked(gate: Gate, attribute: str, tmp_path: Path) -> None:
    before = inquiry_of(tmp_path / "project")
    after = replace(before, policy=policy_of(tmp_path / "policy", POLICY[attribute]))
    assert question(gate, before) != question(gate, after)


@every_gate
@pytest.mark.parametrize(
    "text",
    [
        '[[waivers]]\nrule = "lint/B101"\nsubject = "Orders"\nreason = "r"\nowner = "o"\nexpires = 2026-12-01\n',
        'required = ["lint"]\n',
        '[gates.lint]\nmode = "observe"\n[gates.sbom]\nfail-on = "low"\n[gates.package]\nenforce-from = 2027-01-01\n',
    ],
    ids=["a waiver", "what is required", "what blocks"],
)
def test_what_only_the_judge_reads_is_not_asked(gate: Gate, text: str, tmp_path: Path) -> None:
    before = inquiry_of(tmp_path / "project")
    assert question(gate, before) == question(gate, replace(before, policy=policy_of(tmp_path / "policy", text)))


def other(value: object, kind: object) -> object:  # noqa: C901 - one line a kind
    """Another value of the same kind."""
    match value:
        case None if kind == str | None:
            return "other"
        case None if kind == Preference | None:
            return Preference()
        case Location():
            return replace(value, line=(value.line or 0) + 1)
        case Code():
            return replace(value, kind=CodeKind.FILE, path="src/other/app.py")
        case bool():
            return not value
        case str():
            return f"{value}x"
        case Mapping():
            return {**value, "other": PLACE}
        case tuple() if LayerRef in get_args(kind):
            return (*value, LayerRef(text="!Ref Other", local="Other"))
        case tuple() if Unresolved in get_args(kind):
            return (*value, Unresolved(field="handler", reason="nobody knows"))
        case tuple():
            return (*value, "other")
    pytest.fail(f"no other value is known for {value!r}: a field was added; say here how it changes")


LAYER = Layer(name="Common", code=Code(kind=CodeKind.FOLDER, path="src/orders"), location=PLACE, runtimes=("python3.11",))


@every_gate
@pytest.mark.parametrize(("kind", "name"), [(kind, one.name) for kind in (Function, Layer) for one in fields(kind)])
def test_every_field_of_the_subject_is_asked(gate: Gate, kind: type[Subject], name: str, tmp_path: Path) -> None:
    before = inquiry_of(tmp_path / "project")
    before = before if kind is Function else replace(before, subject=LAYER)
    value = other(getattr(before.subject, name), {one.name: one.type for one in fields(kind)}[name])
    after = replace(before, subject=replace(before.subject, **{name: value}))  # type: ignore[arg-type]
    assert question(gate, before) != question(gate, after)


@pytest.mark.parametrize("noun", [Function, Layer, LayerRef, Code, Location, Unresolved], ids=lambda noun: noun.__name__)
def test_no_field_of_a_subject_is_left_out_of_a_comparison(noun: type) -> None:
    assert is_dataclass(noun)
    assert all(one.compare for one in fields(noun)), "what does not compare does not stand in the question"
    assert all(one.default_factory in (MISSING, dict) for one in fields(noun))


Change = Callable[[Inquiry], Inquiry]


def with_file(name: str, text: str) -> Change:
    """The same inquiry in a project with that file."""

    def change(inquiry: Inquiry) -> Inquiry:
        path = inquiry.project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return inquiry

    return change


def with_code(inquiry: Inquiry) -> Inquiry:
    """The same inquiry about a tree with another file."""
    first, *others = inquiry.staged.entries
    return replace(inquiry, tree=marked(replace(inquiry.staged, entries=(replace(first, sha256="0" * 64), *others))))


def with_layer(**changes: Any) -> Change:
    return lambda inquiry: replace(inquiry, layer_trees=(replace(inquiry.layer_trees[0], **changes),))


AUTHOR = '[project]\nauthors = [{name = "ACME"}]\n'
CHANGES: dict[str, tuple[Change, set[str]]] = {
    "code": (with_code, {"dependencies", "lint", "package", "sbom"}),
    "the code of a layer": (with_layer(fingerprint="changed"), {"dependencies", "lint", "package", "sbom"}),
    "the name of a layer": (with_layer(subject="layer:Other"), {"dependencies", "lint", "package", "sbom"}),
    "the time": (lambda inquiry: replace(inquiry, epoch=1), {"sbom"}),
    "no time": (lambda inquiry: replace(inquiry, epoch=None), {"sbom"}),
    "advisories": (lambda inquiry: replace(inquiry, advisories=_Feed("sha256:2")), {"dependencies"}),
    "another day": (lambda inquiry: replace(inquiry, today=date(2026, 11, 22)), set()),
    "skips": (with_file("pyproject.toml", f'{AUTHOR}[tool.bandit]\nskips = ["B101"]\n'), {"lint"}),
    "an option": (with_file("pyproject.toml", f"{AUTHOR}[tool.bandit.assert_used]\nskips = ['*']\n"), {"lint"}),
    "a nearer configuration": (with_file("src/orders/pyproject.toml", "[tool.bandit]\n"), {"lint"}),
    "the author": (with_file("pyproject.toml", '[project]\nauthors = [{name = "Others"}]\n'), {"sbom"}),
    "what concerns nobody": (with_file("pyproject.toml", f'{AUTHOR}version = "2"\n[tool.black]\nline-length = 1\n'), set()),
}


@every_gate
@pytest.mark.parametrize("what", CHANGES)
def test_a_question_changes_with_what_its_gate_reads_and_with_nothing_else(gate: Gate, what: str, tmp_path: Path) -> None:
    before = question(gate, inquiry_of(tmp_path / "before"))
    change, concerned = CHANGES[what]
    after = question(gate, change(inquiry_of(tmp_path / "after")))
    assert (before != after) == (gate.id in concerned)


def test_the_place_of_a_configuration_is_asked_because_names_are_relative_to_it(tmp_path: Path) -> None:
    [lint] = [gate for gate in KEPT if gate.id == "lint"]
    text = '[tool.bandit]\nexclude_dirs = ["./src"]\n'
    above = with_file("pyproject.toml", text)(inquiry_of(tmp_path / "above"))
    inside = with_file("src/pyproject.toml", text)(inquiry_of(tmp_path / "inside"))
    assert question(lint, above) != question(lint, inside)


def test_the_day_is_asked_where_age_is(tmp_path: Path) -> None:
    [dependencies] = [gate for gate in KEPT if gate.id == "dependencies"]
    policy = policy_of(tmp_path / "policy", '[gates.dependencies]\ncooldown = "7d"\n')
    before = inquiry_of(tmp_path / "project", policy=policy)
    assert question(dependencies, before) != question(dependencies, replace(before, today=date(2026, 11, 22)))


@every_gate
@pytest.mark.parametrize("what", ["tree", "layer"])
def test_without_a_fingerprint_nothing_is_kept(gate: Gate, what: str, tmp_path: Path) -> None:
    inquiry = inquiry_of(tmp_path / "project")
    unknown = replace(inquiry, tree=replace(inquiry.staged, fingerprint="")) if what == "tree" else with_layer(fingerprint="")(inquiry)
    assert answers.question(gate, unknown, asking={}) is None


def test_where_a_file_cannot_be_read_the_gate_itself_says_so(tmp_path: Path) -> None:
    [lint] = [gate for gate in KEPT if gate.id == "lint"]
    broken = with_file("pyproject.toml", "[tool.bandit\n")(inquiry_of(tmp_path / "project"))
    assert answers.question(lint, broken, asking={}) is None


@every_gate
def test_lines_that_move_change_a_question_and_not_its_substance(gate: Gate, tmp_path: Path) -> None:
    inquiry = inquiry_of(tmp_path / "project")
    alike = replace(inquiry.staged, likeness="the same")
    before = replace(inquiry, tree=alike, layer_trees=(replace(inquiry.layer_trees[0], likeness="the same"),))
    moved = replace(before.subject, location=replace(before.subject.location, line=99))
    after = replace(before, subject=moved, tree=replace(alike, fingerprint="moved"))
    assert question(gate, before) != question(gate, after)
    asking = answers.asking_part(before.policy)
    substance = answers.substance(gate, before, asking=asking)
    assert substance and substance == answers.substance(gate, after, asking=asking)  # noqa: PT018 - two that were not there are not alike
    elsewhere = replace(after, subject=replace(moved, location=replace(moved.location, path="other.yaml")))
    for other_one in (elsewhere, replace(after, tree=replace(alike, likeness="other")), replace(after, layer_trees=())):
        assert answers.substance(gate, other_one, asking=asking) not in ("", substance)
    unknown = replace(after, tree=replace(alike, likeness=""))
    assert answers.substance(gate, unknown, asking=asking) == ""
