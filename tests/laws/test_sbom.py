"""Laws of the document: the same input gives the same bytes, whatever the order; every document is valid; nothing is lost."""

import hashlib
import json
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.evidence.sbom import compose, finish
from shipsafe.evidence.schema import validate
from shipsafe.model.location import Location
from shipsafe.model.project import Code, CodeKind, Function
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, Distribution, Entry, Origin, Source, StagedTree, has_control

SUBJECT = Function(
    name="Orders", runtime="python3.13", handler="app.handler", code=Code(kind=CodeKind.FOLDER), location=Location(path="t.yaml")
)
NAMES = ("a", "b-c", "d", "requests", "zope-interface")
PATHS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20)


@st.composite
def trees(draw: st.DrawFn) -> StagedTree:
    """Any tree: names in any script, distributions that need each other in circles, some without a version."""
    entries = [
        Entry(
            path=path,
            mode=draw(st.sampled_from((FILE_MODE, PROGRAM_MODE))),
            size=1,
            sha256=hashlib.sha256(path.encode()).hexdigest(),
            source=Path("nowhere"),
            origin=draw(st.sampled_from(Origin)),
        )
        for path in draw(st.lists(PATHS, unique=True, max_size=8))
        if not has_control(path)
    ]
    parts = [
        Distribution(
            name=name,
            version=draw(st.none() | st.sampled_from(("1.0", "2.0+cpu"))),
            source=draw(st.sampled_from(Source)),
            index=draw(st.none() | st.sampled_from(("https://pypi.org/simple", "https://packages.example.org/simple/"))),
            requires=tuple(draw(st.lists(st.sampled_from(NAMES), unique=True))),
            via=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=2))),
            hashes=tuple(draw(st.lists(st.sampled_from(("sha256:" + "1" * 64, "sha256:" + "2" * 64)), unique=True))),
            paths=tuple(entry.path for entry in entries[:2]),
        )
        for name in sorted(draw(st.sets(st.sampled_from(NAMES))))
    ]
    return StagedTree(subject="function:Orders", root=Path("nowhere"), entries=tuple(entries), distributions=tuple(parts))


@settings(deadline=None, max_examples=60)
@given(tree=trees(), epoch=st.none() | st.integers(0, 4_000_000_000), shuffle=st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_valid_bytes_in_any_order_of_tools(
    tree: StagedTree, epoch: int | None, shuffle: random.Random
) -> None:
    tools = [("shipsafe", "1"), ("uv", "2"), ("bandit", "3")]
    first = finish(compose(SUBJECT, tree, epoch=epoch, tools=dict(tools)), None)
    shuffle.shuffle(tools)
    assert finish(compose(SUBJECT, tree, epoch=epoch, tools=dict(tools)), None) == first
    assert validate(first) == ()
    document = json.loads(first)
    listed = [component["name"] for component in document["components"]]
    assert sorted(listed) == sorted([*(entry.path for entry in tree.entries), *(one.name for one in tree.distributions)])
    refs = {component["bom-ref"] for component in document["components"]} | {"function:Orders"}
    reached, queue = {"function:Orders"}, ["function:Orders"]
    edges = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    assert set(edges) <= refs
    for ref in queue:
        for needed in edges[ref]:
            if needed not in reached:
                reached.add(needed)
                queue.append(needed)
    assert reached == set(edges)
