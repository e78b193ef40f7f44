"""Laws of the readers of what other tools have written: any damage to it is an error of ours or a project, never another exception."""

import copy
import json
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.errors import ShipsafeError
from shipsafe.model.project import Project
from shipsafe.readers import read_project
from tests.readers.writing import policy

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PLAN = json.loads((EXAMPLES / "orders-terraform" / "plan.json").read_text())
ASSEMBLY = EXAMPLES / "orders-cdk" / "cdk.out"
CDK = {name: json.loads((ASSEMBLY / name).read_text())
       for name in ("manifest.json", "Orders.template.json", "Orders.assets.json", "Orders.metadata.json")}  # fmt: skip
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")

_HOSTILE = ("../../../etc/passwd", "/", "module.a", "var.x", "\x00", "${", "module.export_report.layers", "\ud800", "{{resolve:ssm:x}}")
_KEYS = ("Ref", "Fn::Sub", "references", "constant_value", "address", "type", "values")
_WORDS = (*'[]{}()",#/*$.=\n ', "${", "local.a", "var.layers", "aws_lambda_layer_version.shared.arn", "\\", "/*")
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.just([]),
    st.just({}),
    st.sampled_from(_HOSTILE),
    st.lists(st.one_of(st.none(), st.booleans(), st.text(max_size=5)), max_size=3),
    st.dictionaries(st.sampled_from(_KEYS), st.text(max_size=8), max_size=2),
)


def damaged(document: Any, data: st.DataObject) -> Any:
    """The document with some of its values replaced, taken out or doubled."""
    document = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 6))):
        place = document
        while isinstance(place, dict | list) and place:
            key = data.draw(st.sampled_from(sorted(place))) if isinstance(place, dict) else data.draw(st.integers(0, len(place) - 1))
            inner = place[key]
            if isinstance(inner, dict | list) and inner and data.draw(st.integers(0, 5)):
                place = inner
                continue
            place[key] = data.draw(_ODD)
            break
    return document


def read(folder: Path) -> Project | None:
    try:
        project = read_project(folder, policy=policy(), overrides={})
    except ShipsafeError:
        return None
    for subject in project.subjects:
        assert NAME.fullmatch(subject.name)
        assert not subject.name.endswith(".")
        written = subject.code.path or "."
        assert "\x00" not in written
        assert written.encode("utf-8")  # neither is a path, and no report could be written
    assert len({subject.name.casefold() for subject in project.subjects}) == len(project.subjects)
    return project


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_plan_is_read_or_refused(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        shutil.copyfile(EXAMPLES / "orders-terraform" / "main.tf", Path(folder, "main.tf"))
        Path(folder, "plan.json").write_text(json.dumps(damaged(PLAN, data)), encoding="utf-8")
        read(Path(folder))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_assembly_is_read_or_refused(data: st.DataObject) -> None:
    victim = data.draw(st.sampled_from(sorted(CDK)))
    with TemporaryDirectory() as folder:
        Path(folder, "cdk.json").write_text("{}", encoding="utf-8")
        Path(folder, "cdk.out").mkdir()
        for name, document in CDK.items():
            text = json.dumps(damaged(document, data) if name == victim else document)
            Path(folder, "cdk.out", name).write_text(text, encoding="utf-8")
        read(Path(folder))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=40).map("".join))
def test_any_text_of_a_configuration_is_read(text: str) -> None:
    """What is written in `.tf` files is a service to people and to layers: it never decides whether a plan can be read."""
    with TemporaryDirectory() as folder:
        shutil.copyfile(EXAMPLES / "orders-terraform" / "plan.json", Path(folder, "plan.json"))
        body = f'resource "aws_lambda_function" "create_order" {{\n  layers = {text}\n}}\nlocals {{\n  a = {text}\n}}\n'
        Path(folder, "main.tf").write_text(body, encoding="utf-8")
        project = read(Path(folder))
        assert project is not None
        assert [function.name for function in project.functions] == ["create_order", "notify.notify", "export_report.this"]
