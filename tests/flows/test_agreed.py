"""What a release says of its functions decides what is asked of them, so it has to be what everybody else says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.flows.agreed import agrees_with_policy, agrees_with_template, told_in
from shipsafe.model.location import Location
from shipsafe.model.policy import FunctionConfig
from shipsafe.model.project import Code, CodeKind, Function, LayerRef, Unresolved
from shipsafe.model.verdict import Decision
from shipsafe.packing.manifest import Told
from shipsafe.packing.release import read_release
from shipsafe.readers import read_project
from tests.flows.shop import asked, copied, policy, silenced

Edit = Callable[[Any], object]
ARN = "arn:aws:lambda:eu-west-1:111122223333:layer:tools:7"


def claiming(dist: Path, name: str, **words: Any) -> Path:
    """The release, whose manifest says something else of one artifact, and whose unsigned evidence somebody took away."""
    path = silenced(dist) / "shipsafe.json"
    document = json.loads(path.read_text())
    next(one for one in document["artifacts"] if one["name"] == name).update(words)
    path.write_text(json.dumps(document))
    return dist


def function(**words: Any) -> Function:
    known = {"runtime": "python3.13", "handler": "app.handler", "architectures": ("arm64",), **words}
    return Function(name="Pay", code=Code(kind=CodeKind.FOLDER, path="src"), location=Location(path="t.yaml", line=3), **known)


TOLD = Told(runtimes=("python3.13",), handler="app.handler", architectures=("arm64",), layers=(LayerRef(text=ARN, arn=ARN),))


def test_what_was_built_from_a_template_agrees_with_it(shop: Path) -> None:
    project = read_project(shop / "template.yaml", policy=policy(shop), overrides={})
    agrees_with_template(told_in(read_release(shop / "dist").artifacts), project.subjects)


@pytest.mark.parametrize(
    ("name", "words", "field"),
    [
        ("Pay", {"runtimes": ["nodejs22.x"]}, "runtime"),
        ("Pay", {"handler": "other.handler"}, "handler"),
        ("Pay", {"architectures": ["x86_64"]}, "architecture"),
        ("Pay", {"layers": []}, "layers"),
    ],
    ids=["runtime", "handler", "architecture", "layers"],
)
def test_a_claim_that_the_template_contradicts_is_refused(
    shop: Path, tmp_path: Path, name: str, words: Mapping[str, Any], field: str
) -> None:
    dist = claiming(copied(shop, tmp_path), name, **words)
    project = read_project(shop / "template.yaml", policy=policy(shop), overrides={})
    with pytest.raises(IntegrityError, match=f"as its {field}:"):
        agrees_with_template(told_in(read_release(dist).artifacts), project.subjects)


def test_what_a_template_leaves_open_is_held_against_nothing() -> None:
    unknown = tuple(Unresolved(field=one, reason="a parameter", remedy="") for one in ("runtime", "handler", "architectures"))
    layers = (LayerRef(text="!Ref Other", unresolved="a parameter"),)
    agrees_with_template({"function:Pay": TOLD}, [function(runtime=None, handler=None, unresolved=unknown, layers=layers)])
    agrees_with_template({"function:Other": TOLD}, [function(runtime="nodejs22.x")])


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("function:Pay", {"runtimes": ["nodejs22.x"]}),
        ("function:Pay", {"handler": "other.handler"}),
        ("layer:Pay", {"runtimes": [], "handler": None}),
        ("function:Pay", {"layers": []}),
    ],
    ids=["runtime", "handler", "kind", "layers"],
)
def test_a_function_that_the_policy_names_is_the_one_that_it_names(
    shop: Path, tmp_path: Path, subject: str, words: Mapping[str, Any]
) -> None:

    config = FunctionConfig(name="Pay", handler="app.handler", runtime="python3.13", code="src", architecture="arm64", layers=(ARN,))
    under = replace(policy(shop), functions=(config,))
    agrees_with_policy(read_release(shop / "dist"), under)
    dist = claiming(copied(shop, tmp_path), "Pay", subject=subject, **words)
    with pytest.raises(IntegrityError, match="What was asked is not what would run"):
        agrees_with_policy(read_release(dist), under)


def test_a_function_runs_on_one_thing(shop: Path, tmp_path: Path) -> None:
    dist = claiming(copied(shop, tmp_path), "Node", runtimes=["nodejs22.x", "python3.13"])
    with pytest.raises(IntegrityError, match="names 2 runtimes for Node"):
        asked(shop, dist=dist)


def test_python_that_nobody_was_asked_about_is_named(shop: Path) -> None:
    found = asked(shop)
    assert found.record.verdict.decision is Decision.PASS
    assert found.remarks == (
        "Not looked at: Python in function:Node (tool.py). The release says that it runs on nodejs22.x, and nobody vouches for that.",
    )


def test_that_a_function_uses_no_layers_is_a_claim_as_well(shop: Path, tmp_path: Path) -> None:
    dist = claiming(copied(shop, tmp_path), "Pay", layers=[])
    said = {(one.subject, one.value) for one in asked(shop, dist=dist).claims if one.name == "layers"}
    assert ("function:Pay", None) in said
    assert any(subject == "function:Stock" and value for subject, value in said)
