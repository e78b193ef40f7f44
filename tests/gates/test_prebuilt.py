"""What the gates say of a build: refused, changed, not as locked, unproven; what is in a layer is not missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.gates.dependencies import run as ask_dependencies
from shipsafe.gates.package import run as ask_package
from shipsafe.model.finding import Effect
from shipsafe.model.location import Location
from shipsafe.model.outcome import State
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, LayerRef, Subject, Unresolved
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Origin, Problem, ProblemKind, Source, StagedTree
from tests.gates.asking import function, inquiry, layer, rules
from tests.packing.trees import tree

APP = b"def handler(event, context): ...\n"
ELSEWHERE = LayerRef(text="arn", arn="arn:aws:lambda:eu-west-1:111122223333:layer:deps:1", version=1)
LOCAL = LayerRef(text="!Ref Common", local="Common")
BUILT = Code(kind=CodeKind.FOLDER, path="built", prebuilt=True)


def prebuilt(tmp_path: Path, *problems: Problem, distributions: tuple[Distribution, ...] = (), **fields: object) -> StagedTree:
    made = replace(tree(tmp_path / "tree", {"app.py": APP}), problems=problems, distributions=distributions)
    return replace(made, **fields)  # type: ignore[arg-type]


def problem(kind: ProblemKind, key: str = "lib") -> Problem:
    return Problem(kind=kind, key=key, message=f"{key} is wrong.", location=Location(path="src/requirements.txt", line=3))


def lib(source: Source = Source.PREBUILT, name: str = "lib", **fields: object) -> Distribution:
    return replace(Distribution(name=name, version="1.0", source=source), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "refused"),
    [
        (function(code=BUILT), True),
        (layer(code=BUILT, runtimes=("python3.13",)), True),
        (function(code=BUILT, runtime="java21"), False),
        (function(), False),
    ],
)
def test_a_policy_can_refuse_what_another_tool_built(tmp_path: Path, subject: Subject, refused: bool) -> None:  # noqa: FBT001 - parametrized
    strict = Policy(path=None, digest="", refuses_prebuilt=True)
    for policy, expected in ((strict, refused), (Policy(path=None, digest=""), False)):
        outcome = ask_package(inquiry(tmp_path, subject, prebuilt(tmp_path / str(expected)), policy=policy))
        assert ("prebuilt" in rules(outcome)) is expected


def test_a_zip_of_a_template_is_refused_too(tmp_path: Path) -> None:
    subject = function(code=Code(kind=CodeKind.ZIP, path="app.zip"))
    strict = Policy(path=None, digest="", refuses_prebuilt=True)
    outcome = ask_package(inquiry(tmp_path, subject, prebuilt(tmp_path, prebuilt=True), policy=strict))
    assert [finding.message for finding in outcome.findings] == ["App was built by another tool: app.zip."]


def test_a_policy_can_ask_for_a_proof(tmp_path: Path) -> None:
    proving = Policy(path=None, digest="", proves_prebuilt=True)
    asked = inquiry(tmp_path, function(code=BUILT), prebuilt(tmp_path, unproven=("app.py", "x.py")), policy=proving)
    [finding] = ask_package(asked).findings
    assert finding.rule == "package/prebuilt"
    assert finding.message.endswith(
        "and 2 of its files are neither the source's nor those of a wheel whose hash stands in the lock: app.py, x.py."
    )
    assert ask_package(replace(asked, tree=prebuilt(tmp_path / "proven"))).findings == ()
    unnamed = replace(asked, tree=prebuilt(tmp_path / "zip", prebuilt=True))
    assert rules(ask_package(unnamed)) == ["prebuilt"], "of a zip that nobody named nothing is compared"


def test_changes_and_other_versions_are_high_and_point_at_their_place(tmp_path: Path) -> None:
    seen = prebuilt(tmp_path, problem(ProblemKind.MODIFIED), problem(ProblemKind.LOCK_MISMATCH, "other"), notes=("A note.",))
    outcome = ask_package(inquiry(tmp_path, function(code=BUILT), seen))
    assert [(one.rule, one.severity, one.key, str(one.location)) for one in outcome.findings] == [
        ("package/modified-dependency", Severity.HIGH, "lib", "src/requirements.txt:3"),
        ("package/lock-mismatch", Severity.HIGH, "other", "src/requirements.txt:3"),
    ]
    assert "A note." in outcome.notes


@pytest.mark.parametrize(
    ("key", "layers", "severity"),
    [
        ("lib", (), Severity.HIGH),
        ("lib", (LOCAL,), Severity.HIGH),
        ("lib", (ELSEWHERE,), Severity.MEDIUM),
        ("boto3", (), Severity.MEDIUM),
    ],
)
def test_what_is_missing_is_worse_where_nothing_else_can_have_it(
    tmp_path: Path, key: str, layers: tuple[LayerRef, ...], severity: Severity
) -> None:
    seen = prebuilt(tmp_path, problem(ProblemKind.NOT_INSTALLED, key))
    outcome = ask_package(inquiry(tmp_path, function(code=BUILT, layers=layers), seen))
    assert [(one.rule, one.severity) for one in outcome.findings] == [("package/lock-mismatch", severity)]


def test_a_layer_may_have_what_the_function_lacks(tmp_path: Path) -> None:
    common = replace(prebuilt(tmp_path / "layer", distributions=(lib(),)), subject="layer:Common")
    lacks = prebuilt(tmp_path / "function", problem(ProblemKind.NOT_INSTALLED), problem(ProblemKind.UNIDENTIFIED))
    asked = inquiry(tmp_path, function(code=BUILT, layers=(LOCAL,)), lacks, common)
    assert ask_package(asked).findings == ()
    assert ask_dependencies(asked).findings == ()


def test_what_another_tool_installed_is_one_low_finding(tmp_path: Path) -> None:
    seen = prebuilt(tmp_path, distributions=tuple(lib(name=f"lib{number}") for number in range(7)), agrees_with="requirements.txt")
    outcome = ask_dependencies(inquiry(tmp_path, function(code=BUILT), seen))
    assert outcome.state is State.UNANSWERED, "no source of advisories: the versions were to be asked about"
    [finding] = outcome.findings
    assert (finding.rule, finding.severity, finding.effect) == ("dependencies/unproven", Severity.LOW, Effect.FAIL)
    assert finding.message == (
        "Another tool installed lib0 1.0, lib1 1.0, lib2 1.0, lib3 1.0, lib4 1.0 and 2 more; the versions are those of "
        "requirements.txt, and nothing proves that the files are the index's."
    )


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (lib(Source.BUNDLED, doubt="was installed from file:///x and not from an index"), "lib 1.0 was installed from file:///x"),
        (lib(Source.BUNDLED), "lib 1.0 lies in the code"),
        (lib(doubt="is locked from https://packages.example.com/simple"), "lib 1.0 is locked from https://packages.example.com/simple"),
        (lib(version=None), "lib has no version"),
    ],
)
def test_what_advisories_cannot_speak_of_is_unaudited(tmp_path: Path, one: Distribution, reason: str) -> None:
    outcome = ask_dependencies(inquiry(tmp_path, function(code=BUILT), prebuilt(tmp_path, distributions=(one,))))
    [finding] = [finding for finding in outcome.findings if finding.rule == "dependencies/unaudited"]
    assert finding.message.startswith(reason)
    assert finding.effect is Effect.INCOMPLETE


def test_what_nobody_can_name_is_unaudited(tmp_path: Path) -> None:
    outcome = ask_dependencies(inquiry(tmp_path, function(code=BUILT), prebuilt(tmp_path, problem(ProblemKind.UNIDENTIFIED))))
    assert [(one.rule, one.key, one.effect) for one in outcome.findings] == [("dependencies/unaudited", "lib", Effect.INCOMPLETE)]


def test_compiled_python_is_one_finding_for_each_place(tmp_path: Path) -> None:
    files = {"app.py": APP, "__pycache__/app.cpython-313.pyc": b"x", "lib/a.pyc": b"x", "lib/b.pyo": b"x", "python/one.pyc": b"x"}
    staged = tree(tmp_path / "tree", files)
    outcome = ask_package(inquiry(tmp_path, function(), staged))
    found = [(finding.rule, finding.key) for finding in outcome.findings]
    assert found == [("package/compiled-python", key) for key in ("__pycache__/", "lib/", "python/one.pyc")]
    assert outcome.findings[1].message == "Nobody can look into compiled Python, and no RECORD names it: lib/a.pyc, lib/b.pyo."
    dependencies = replace(staged, entries=tuple(replace(one, origin=Origin.DEPENDENCY) for one in staged.entries))
    assert rules(ask_package(inquiry(tmp_path / "again", function(), dependencies))) == []
    assert "compiled-python" not in rules(ask_package(inquiry(tmp_path / "third", function(runtime="java21"), staged)))


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (replace(function(), runtime=None, unresolved=(Unresolved(field="runtime", reason="nothing says it", remedy="Give --runtime."),)),
         "The runtime of App is not known: nothing says it. Give --runtime."),
        (function(handler=None, unresolved=(Unresolved(field="handler", reason="nothing says it", remedy="Give --handler."),)),
         "The handler of App is not known: nothing says it. Give --handler."),
        (layer(runtimes=(), unresolved=(Unresolved(field="runtimes", reason="it is in another stack"),)),
         "The runtime of Common is not known: it is in another stack."),
    ],
)  # fmt: skip
def test_what_nobody_says_of_a_subject_is_unanswered(tmp_path: Path, subject: Subject, said: str) -> None:
    outcome = ask_package(inquiry(tmp_path, subject, tree(tmp_path / "tree", {"app.py": APP})))
    assert (outcome.state, outcome.reason) == (State.UNANSWERED, said)


def test_a_handler_may_be_in_a_layer_of_the_project_that_is_not_here(tmp_path: Path) -> None:
    staged = tree(tmp_path / "tree", {"other.py": APP})
    missing = ask_package(inquiry(tmp_path, function(layers=(LOCAL,)), staged))
    assert missing.findings == ()
    assert "It may be in a layer that is not part of this project." in missing.notes[0]
