"""The gate `dependencies` about packages: which index they came from, since when they are there, and who imports them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shipsafe.advisories.sources import open_advisories
from shipsafe.errors import IncompleteError
from shipsafe.gates.dependencies import GATE
from shipsafe.model.advisory import Advisories, AdvisoryInfo
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.gate import Inquiry
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import AdvisoryPolicy, AdvisorySource, GatePolicy, NamedIndex
from shipsafe.model.project import Layer
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Source
from tests.advisories.writing import export, record
from tests.answers import answers_of
from tests.gates.own_code import ask_about
from tests.packing.loopback import index, sha256, wheel

PYPI = "https://pypi.org/simple"
PRIVATE = "https://packages.example.com/simple"
ACME = NamedIndex(name="acme", url=PRIVATE, packages=("acme-*",))
EMPTY = "def handler(event, context): ...\n"


@pytest.fixture
def advisories(tmp_path: Path) -> Advisories:
    """A snapshot that knows nothing of what is asked here."""
    path = export(tmp_path / "all.zip", record("jinja2", {"introduced": "0"}))
    none: Mapping[str, Any] = {"answers": answers_of(tmp_path / "advisories"), "today": None, "now": None, "say": None}
    return open_advisories(
        AdvisoryPolicy(source=AdvisorySource.FOLDER, path=str(path)), cache=tmp_path / "advisories", offline=True, **none
    )


def distribution(name: str, version: str = "1.0", **others: Any) -> Distribution:
    """A distribution with one module of its name, from PyPI unless `others` says something else."""
    paths = (f"{name.replace('-', '_')}.py",)
    return Distribution(**{"name": name, "version": version, "source": Source.INDEX, "index": PYPI, "paths": paths, **others})


def inquiry(
    folder: Path, advisories: Advisories | None, *distributions: Distribution, files: Mapping[str, str] | None = None,
    dependencies: Mapping[str, str] | None = None, **policy: Any,
) -> Inquiry:  # fmt: skip
    """About a function with these files and distributions."""
    made = ask_about(
        folder, files or {"app.py": EMPTY}, gate="dependencies", distributions=distributions, dependencies=dict(dependencies or {})
    )
    return replace(made, advisories=advisories, policy=replace(made.policy, **policy))


def found(outcome: Outcome, rule: str) -> list[Finding]:
    """What was found against one rule."""
    return [finding for finding in outcome.findings if finding.rule == f"dependencies/{rule}"]


# Confusion


@pytest.mark.parametrize("version", ["1.0", None])
def test_what_is_ours_and_came_from_elsewhere_is_critical(tmp_path: Path, advisories: Advisories, version: str | None) -> None:
    one = distribution("acme-billing", index=PYPI) if version else distribution("acme-billing", version="", index=PYPI)
    asked = inquiry(tmp_path, advisories, one, first_party=("acme-*",), named_indexes=(ACME,))
    (finding,) = found(GATE.run(asked), "confusion")
    assert (finding.severity, finding.effect, finding.package) == (Severity.CRITICAL, Effect.FAIL, "acme-billing")
    assert f"came from {PYPI}, and its own index is acme ({PRIVATE})" in finding.message


@pytest.mark.parametrize(
    ("one", "policy"),
    [
        (distribution("acme-billing", index=PRIVATE), {"first_party": ("acme-*",), "named_indexes": (ACME,)}),
        (distribution("acme-billing", index=f"{PRIVATE}/"), {"named_indexes": (ACME,)}),
        (distribution("acme-billing", index=PRIVATE), {"first_party": ("acme-*",)}),
        (distribution("requests", index=PYPI), {"first_party": ("acme-*",), "named_indexes": (ACME,)}),
        (distribution("acme-billing", source=Source.BUNDLED, index=None), {"first_party": ("acme-*",), "named_indexes": (ACME,)}),
    ],
)
def test_what_came_from_its_own_index_is_not_confused(
    tmp_path: Path, advisories: Advisories, one: Distribution, policy: dict[str, Any]
) -> None:
    assert found(GATE.run(inquiry(tmp_path, advisories, one, **policy)), "confusion") == []


@pytest.mark.parametrize("public", [PYPI, "https://mirror.example.com/simple"])
def test_a_first_party_name_that_no_index_claims_must_not_come_from_where_anybody_publishes(
    tmp_path: Path, advisories: Advisories, public: str
) -> None:
    mirrors = ("https://mirror.example.com/simple/",)
    one = distribution("acme-billing", index=public)
    (finding,) = found(GATE.run(inquiry(tmp_path, advisories, one, first_party=("acme-*",), pypi_mirrors=mirrors)), "confusion")
    assert finding.message == f"acme-billing 1.0 is first-party by its name and came from {public}, where anybody can publish."


def test_of_a_claimed_name_that_another_tool_installed_nobody_can_say_where_it_came_from(tmp_path: Path, advisories: Advisories) -> None:
    """That is neither confusion nor fine."""
    one = distribution("acme-billing", source=Source.PREBUILT, index=None)
    outcome = GATE.run(inquiry(tmp_path, advisories, one, first_party=("acme-*",), named_indexes=(ACME,)))
    assert found(outcome, "confusion") == []
    (finding,) = found(outcome, "unaudited")
    assert finding.effect is Effect.INCOMPLETE
    assert "nobody can say that it came from its own index acme" in finding.message


def test_a_first_party_name_from_an_index_that_is_not_known_is_not_called_fine(tmp_path: Path, advisories: Advisories) -> None:
    outcome = GATE.run(inquiry(tmp_path, advisories, distribution("acme-billing", index=None), first_party=("acme-*",)))
    (finding,) = found(outcome, "unaudited")
    assert "ours by its name, and came from an index that is not known" in finding.message


def test_advisories_speak_of_what_a_mirror_of_pypi_has(tmp_path: Path, advisories: Advisories) -> None:
    mirror = "https://mirror.example.com/simple"
    outcome = GATE.run(inquiry(tmp_path, advisories, distribution("jinja2", index=mirror), pypi_mirrors=(mirror,)))
    assert found(outcome, "unaudited") == []
    assert len(found(outcome, "vulnerable")) == 1


# Cooldown

RELEASES = (wheel("young", "1.0"), wheel("old", "1.0"), wheel("old", "1.0", tag="cp313-cp313-manylinux2014_x86_64"), wheel("silent", "1.0"))
UPLOADED = {
    "young-1.0-py3-none-any.whl": "2026-11-15T12:00:00.000000Z",
    "old-1.0-py3-none-any.whl": "2026-11-14T23:59:59Z",
    "old-1.0-cp313-cp313-manylinux2014_x86_64.whl": "2026-11-20T00:00:00Z",
}


@pytest.fixture(scope="module")
def timed() -> Iterator[str]:
    """An index that says when it got what, except for `silent`."""
    with index(*RELEASES, uploaded=UPLOADED) as url:
        yield url


def cooling(folder: Path, advisories: Advisories, *distributions: Distribution, age: str = "7d", **policy: Any) -> Inquiry:
    gates = {"dependencies": GatePolicy(settings={"cooldown": age})}
    at = next((one.index for one in distributions if one.index), None)
    return inquiry(folder, advisories, *distributions, gates=gates, index=at, **policy)


def test_what_was_uploaded_too_short_a_time_ago_is_found(tmp_path: Path, advisories: Advisories, timed: str) -> None:
    outcome = GATE.run(cooling(tmp_path, advisories, distribution("young", index=timed)))
    (finding,) = found(outcome, "too-new")
    assert finding.message == "young 1.0 was uploaded on 2026-11-15, less than 7 days ago."
    assert finding.remedy == "Wait until 2026-11-22, take an older version, or waive it with a reason and an end."
    assert finding.severity is Severity.HIGH


@pytest.mark.parametrize(("age", "count"), [("6d", 0), ("7d", 1), ("off", 0), ("99999d", 1)])
def test_the_policy_says_how_old_is_old_enough(tmp_path: Path, advisories: Advisories, timed: str, age: str, count: int) -> None:
    outcome = GATE.run(cooling(tmp_path, advisories, distribution("young", index=timed), age=age))
    assert len(found(outcome, "too-new")) == count


def test_of_the_files_that_the_lock_admits_the_youngest_counts(tmp_path: Path, advisories: Advisories, timed: str) -> None:
    """A file can be added to an old release; one that is not admitted cannot be what ships."""
    first = distribution("old", index=timed, hashes=(sha256(RELEASES[1][1]),))
    assert found(GATE.run(cooling(tmp_path / "a", advisories, first)), "too-new") == []
    both = replace(first, hashes=tuple(sha256(RELEASES[number][1]) for number in (1, 2)))
    assert len(found(GATE.run(cooling(tmp_path / "b", advisories, both)), "too-new")) == 1
    unlocked = replace(first, hashes=())
    assert len(found(GATE.run(cooling(tmp_path / "c", advisories, unlocked)), "too-new")) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "silent"}, "does not say when it was uploaded"),
        ({"hashes": ("sha256:" + "0" * 64,)}, "does not list the file"),
        ({"version": "2.0"}, "does not list the file"),
        ({"index": "wheels"}, "wheels is no index"),
        ({"source": Source.PREBUILT, "index": None}, "the index that it came from is not known"),
    ],
)
def test_an_unknown_time_is_unaudited(tmp_path: Path, advisories: Advisories, timed: str, change: dict[str, Any], why: str) -> None:
    one = distribution("young", index=timed)
    outcome = GATE.run(replace(cooling(tmp_path, advisories, one), tree=replace(
        cooling(tmp_path / "x", advisories, one).staged, distributions=(replace(one, **change),))))  # fmt: skip
    (finding,) = [one for one in found(outcome, "unaudited") if "older than 7 days" in one.message]
    assert why in finding.message
    assert finding.effect is Effect.INCOMPLETE
    assert found(outcome, "too-new") == []


def test_what_is_ours_may_be_young(tmp_path: Path, advisories: Advisories, timed: str) -> None:
    outcome = GATE.run(cooling(tmp_path, advisories, distribution("young", index=timed), first_party=("young",)))
    assert outcome.findings == () or all(finding.rule == "dependencies/unused" for finding in outcome.findings)


def test_an_index_that_cannot_be_asked_leaves_the_question_unanswered(tmp_path: Path, advisories: Advisories, timed: str) -> None:
    young = cooling(tmp_path / "a", advisories, distribution("young", version="3.0", index=timed))
    offline = GATE.run(replace(young, offline=True))
    assert offline.state is State.UNANSWERED
    assert "Offline" in offline.reason
    with index(wheel("other", "1.0"), user=("a", "b")) as closed:
        refused = GATE.run(cooling(tmp_path / "b", advisories, distribution("young", version="3.0", index=closed)))
    assert refused.state is State.UNANSWERED
    assert "answered 401" in refused.reason


def test_what_was_found_stands_whatever_could_not_be_asked(tmp_path: Path, advisories: Advisories) -> None:
    """A vulnerability, although the index is offline; confusion, although there are no advisories."""
    flawed = GATE.run(replace(cooling(tmp_path / "a", advisories, distribution("jinja2")), offline=True))
    assert flawed.state is State.UNANSWERED
    assert len(found(flawed, "vulnerable")) == 1
    one = distribution("acme-billing")
    blind = GATE.run(inquiry(tmp_path / "b", Failing(), one, distribution("other"), first_party=("acme-*",)))  # type: ignore[arg-type]
    assert (blind.state, blind.reason) == (State.UNANSWERED, "The feed is down.")
    assert len(found(blind, "confusion")) == 1


class Failing:
    """A source of advisories that cannot answer."""

    info = AdvisoryInfo(source="osv", label="OSV")

    def ask(self, _: object) -> object:
        """Fail."""
        raise IncompleteError("The feed is down.")


# Unused


def unused(folder: Path, advisories: Advisories, source: str, *distributions: Distribution, **options: Any) -> list[str | None]:
    files = {"app.py": source, **options.pop("files", {})}
    return [one.package for one in found(GATE.run(inquiry(folder, advisories, *distributions, files=files, **options)), "unused")]


@pytest.mark.parametrize(
    "source",
    [
        "import tool\n",
        "import tool.deep as t\n",
        "from tool import x\n",
        "def handler(e, c):\n    from tool import x\n",
        "try:\n    import tool\nexcept ImportError:\n    tool = None\n",
        "import importlib\nimportlib.import_module('tool')\n",
        "URL = 'mysql+tool://db/orders'\n",
    ],
)
def test_what_is_imported_or_named_is_used(tmp_path: Path, advisories: Advisories, source: str) -> None:
    assert unused(tmp_path, advisories, source, distribution("tool")) == []


@pytest.mark.parametrize("source", [EMPTY, "import toolbox\n", "from . import tool\n", "# import tool\n", "tool = 1\n"])
def test_what_nobody_imports_is_shown(tmp_path: Path, advisories: Advisories, source: str) -> None:
    outcome = GATE.run(inquiry(tmp_path, advisories, distribution("tool"), files={"app.py": source}))
    (finding,) = found(outcome, "unused")
    assert (finding.message, finding.severity) == ("tool is asked for, and nothing in the function imports it.", Severity.LOW)


def test_only_what_the_function_asks_for_itself_is_looked_at(tmp_path: Path, advisories: Advisories) -> None:
    needs = distribution("web", requires=("templates",), paths=("web/__init__.py",))
    assert unused(tmp_path, advisories, "import web\n", needs, distribution("templates"), distribution("deep", via=("web",))) == []


def test_the_module_counts_and_not_the_name_of_the_distribution(tmp_path: Path, advisories: Advisories) -> None:
    yaml = distribution("pyyaml", paths=("yaml/__init__.py", "_yaml/__init__.py", "PyYAML-6.dist-info/METADATA"))
    assert unused(tmp_path / "a", advisories, "import yaml\n", yaml) == []
    assert unused(tmp_path / "b", advisories, EMPTY, yaml) == ["pyyaml"]


def test_distributions_that_share_a_namespace_are_told_apart(tmp_path: Path, advisories: Advisories) -> None:
    both = (
        distribution("cloud-store", paths=("cloud/store/__init__.py",)),
        distribution("cloud-queue", paths=("cloud/queue/__init__.py",)),
    )
    assert unused(tmp_path / "a", advisories, "from cloud import store\n", *both) == ["cloud-queue"]
    assert unused(tmp_path / "b", advisories, "import cloud.queue.client\n", *both) == ["cloud-store"]
    assert unused(tmp_path / "c", advisories, "import cloud\n", *both) == []


def test_of_code_that_is_too_much_to_parse_every_word_may_be_an_import(tmp_path: Path, advisories: Advisories) -> None:
    much = f"data = [{'0,' * 100_000}]\n"
    both = distribution("tool"), distribution("spare")
    assert unused(tmp_path / "a", advisories, f"{much}import tool\n", *both) == ["spare"]
    assert unused(tmp_path / "b", advisories, f"# coding: nothing-like-it\n{much}", *both) == []


def test_the_handler_may_be_a_dependencys(tmp_path: Path, advisories: Advisories) -> None:
    asked = inquiry(tmp_path, advisories, distribution("wrapper", paths=("wrapper/entry.py",)))
    subject = replace(asked.project.functions[0], handler="wrapper.entry.handler")
    assert found(GATE.run(replace(asked, subject=subject)), "unused") == []


@pytest.mark.parametrize(
    ("text", "names"), [("[sqlalchemy.dialects]\nx = tool:Dialect\n", []), ("[console_scripts]\nx = tool:main\n", ["tool"])]
)
def test_what_is_found_by_name_is_used(tmp_path: Path, advisories: Advisories, text: str, names: list[str]) -> None:
    one = distribution("tool", dist_info="tool-1.0.dist-info", paths=("tool.py", "tool-1.0.dist-info/entry_points.txt"))
    assert unused(tmp_path, advisories, EMPTY, one, dependencies={"tool-1.0.dist-info/entry_points.txt": text}) == names


@pytest.mark.parametrize("broken", ["def handler(:\n", "x = 1\0\n"])
def test_where_code_cannot_be_read_nothing_is_said(tmp_path: Path, advisories: Advisories, broken: str) -> None:
    assert unused(tmp_path / "a", advisories, EMPTY, distribution("tool"), files={"broken.py": f"# tool\n{broken}"}) == []
    without = unused(tmp_path / "b", advisories, EMPTY, distribution("tool"), files={"broken.py": broken})
    assert without == ["tool"], "whatever it is, it does not have the word"


@pytest.mark.parametrize("spelled", ['__import__("\\x74ool")', "import \uff54ool", "# coding: utf-7\nimport +AHQ-ool"])
def test_a_word_that_is_spelled_in_another_way_is_looked_for_by_parsing(tmp_path: Path, advisories: Advisories, spelled: str) -> None:
    said = unused(tmp_path, advisories, EMPTY, distribution("tool"), files={"spelled.py": f"{spelled}\n"})
    assert said == []


def test_a_layer_is_there_for_others_and_its_code_imports_for_the_function(tmp_path: Path, advisories: Advisories) -> None:
    asked = inquiry(tmp_path / "a", advisories, distribution("tool"))
    layer = Layer(name="Shared", code=asked.subject.code, location=asked.subject.location)
    assert found(GATE.run(replace(asked, subject=layer)), "unused") == []
    shared = inquiry(tmp_path / "b", advisories, files={"shared.py": "import tool\n"}).staged
    assert found(GATE.run(replace(asked, layer_trees=(shared,))), "unused") == []


def test_the_code_is_read_and_never_run(tmp_path: Path, advisories: Advisories) -> None:
    marker = tmp_path / "ran"
    assert unused(tmp_path, advisories, f"open({str(marker)!r}, 'w')\nimport tool\n", distribution("tool")) == []
    assert not marker.exists()


# What decides the answer


class Live:
    """A source of advisories that may answer differently at any time."""

    info = AdvisoryInfo(source="osv", label="OSV")


def test_an_answer_is_kept_under_its_advisories_and_the_day_only_where_age_is_asked_for(tmp_path: Path, advisories: Advisories) -> None:
    assert GATE.inputs is not None
    plain = inquiry(tmp_path / "a", advisories)
    kept = GATE.inputs(plain)
    assert kept is not None
    assert GATE.inputs(replace(plain, today=date(2027, 1, 1))) == kept
    aged = cooling(tmp_path / "b", advisories)
    assert GATE.inputs(aged) != GATE.inputs(replace(aged, today=date(2027, 1, 1)))
    for none in (Live(), None, IncompleteError("The snapshot is too old.")):
        assert GATE.inputs(replace(plain, advisories=none)) is None  # type: ignore[arg-type]  # Live has no `ask`
