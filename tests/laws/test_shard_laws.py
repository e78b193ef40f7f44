"""Shares: whatever the project, all of it is built, by nobody twice without need, and no machine waits long for another."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.errors import NothingError
from shipsafe.flows.shards import shards, share
from shipsafe.model.location import Location
from shipsafe.model.plan import Planned
from shipsafe.model.project import Code, CodeKind, Function, Layer, Subject

HERE = Location(path="template.yaml", line=1)
SETS = {"": 0, "small": 2, "middle": 30, "large": 200}  # what is wanted, and how many distributions that is


def subject(name: str, kind: str) -> Subject:
    code = Code(kind=CodeKind.IMAGE if kind == "image" else CodeKind.FOLDER, path="src")
    if kind == "layer":
        return Layer(name=name, code=code, location=HERE)
    return Function(name=name, code=code, location=HERE, runtime=None, handler=None)


@st.composite
def projects(draw: st.DrawFn) -> list[Planned]:
    """Functions, some of them images, and layers that some of the functions use."""
    kinds = draw(st.lists(st.sampled_from(["function", "function", "function", "layer", "image"]), min_size=1, max_size=24))
    subjects = [subject(f"N{number}", kind) for number, kind in enumerate(kinds)]
    layers = [one.subject for one in subjects if isinstance(one, Layer)]
    found = []
    for one in subjects:
        if isinstance(one, Function) and one.is_image:
            found.append(Planned(subject=one, idle=True))
            continue
        wanted = draw(st.sampled_from(sorted(SETS)))
        used = draw(st.lists(st.sampled_from(layers), unique=True, max_size=2)) if layers and isinstance(one, Function) else []
        found.append(Planned(subject=one, files=draw(st.integers(0, 900)), size=draw(st.integers(0, 90)) << 20,
                             distributions=SETS[wanted], dependencies=wanted, layers=tuple(sorted(used))))  # fmt: skip
    return found


machines = st.integers(1, 12)


@given(projects(), machines)
def test_every_subject_is_in_exactly_one_share_and_no_share_is_empty(project: list[Planned], most: int) -> None:
    made = shards(project, most)
    assert 1 <= len(made) <= most
    assert all(one.subjects for one in made)
    assert sorted(name for one in made for name in one.subjects) == sorted(one.subject.subject for one in project)
    order = [one.subject.subject for one in project]
    assert all(list(one.subjects) == sorted(one.subjects, key=order.index) for one in made)


@given(projects(), machines)
def test_every_share_of_the_plan_can_be_built_and_no_other(project: list[Planned], most: int) -> None:
    made = shards(project, most)
    assert [(one.number, one.of) for one in made] == [(number, most) for number in range(1, len(made) + 1)]
    assert all(share(project, one.number, most) == one for one in made)
    if len(made) < most:
        with pytest.raises(NothingError, match=f"only {len(made)} shares"):
            share(project, len(made) + 1, most)


@given(projects(), machines)
def test_what_is_cached_or_cannot_be_staged_here_changes_no_share(project: list[Planned], most: int) -> None:
    elsewhere = [replace(one, cached=("lint", "archive"), inputs=("a",), problem="offline") for one in project]
    assert shards(elsewhere, most) == shards(project, most)


@given(projects(), machines)
def test_the_heaviest_share_is_heavier_than_the_lightest_by_one_piece_at_most(project: list[Planned], most: int) -> None:
    """A piece is a function with its layers and dependencies, or equal ones that are together no heavier than a third of a share."""
    made = shards(project, most)
    known = {one.subject.subject: one for one in project}
    alone = [one.weight + sum(known[name].weight for name in one.layers) for one in project]
    weights = [one.weight for one in made]
    assert max(weights) - min(weights) <= max([*alone, sum(alone) // most // 3])


@given(projects(), machines)
def test_a_weight_is_what_a_machine_does_that_builds_the_share_alone(project: list[Planned], most: int) -> None:
    known = {one.subject.subject: one for one in project}
    for one in shards(project, most):
        looked = {name: known[name] for mine in one.subjects for name in (mine, *known[mine].layers)}
        sets = {planned.dependencies for planned in looked.values()}
        assert one.weight == sum(planned.own for planned in looked.values()) + sum(SETS[name] for name in sets)


@given(projects(), machines)
def test_a_share_has_something_to_answer_where_the_project_has(project: list[Planned], most: int) -> None:
    """A share of images alone would end with "nothing", which is no pass."""
    idle = {one.subject.subject for one in project if one.idle}
    if len(idle) < len(project):
        assert all(set(one.subjects) - idle for one in shards(project, most))


def test_equal_dependencies_stay_together_until_they_are_a_third_of_a_share() -> None:
    def function(name: str, wanted: str, count: int) -> Planned:
        return Planned(subject=subject(name, "function"), distributions=count, dependencies=wanted)

    project = [function(f"N{number}", "abcd"[number % 4], 100) for number in range(8)]
    assert [one.subjects for one in shards(project, 4)] == [
        ("function:N0", "function:N4"),
        ("function:N1", "function:N5"),
        ("function:N2", "function:N6"),
        ("function:N3", "function:N7"),
    ]
    assert [one.weight for one in shards(project, 4)] == [120] * 4
