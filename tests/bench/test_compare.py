"""A chain that is run on some units is scaled to all of them, and what it does once is not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.chains import Chain
from bench.compare import run_sampled
from bench.measure import Spent, Step


def _run(steps: Sequence[Step]) -> Spent:
    """Each step says what it takes."""
    return Spent(wall=sum(float(step.argv[0].__str__()) for step in steps), cpu=2 * len(steps), peak=len(steps))


def _step(seconds: str) -> Step:
    return Step(argv=[seconds], cwd=Path("/"))


_CHAIN = Chain(per_unit=[[_step("1"), _step("2")], [_step("4")], [_step("8")], [_step("16")]], once=[_step("100")])


@pytest.mark.parametrize(
    ("sample", "wall"),
    [
        (None, 1 + 2 + 4 + 8 + 16 + 100),
        (4, 1 + 2 + 4 + 8 + 16 + 100),
        (2, (1 + 2 + 4) * 2 + 100),
        (1, (1 + 2) * 4 + 100),
        (9, 1 + 2 + 4 + 8 + 16 + 100),
    ],
)
def test_the_first_units_stand_for_all(sample: int | None, wall: float) -> None:
    assert run_sampled(_CHAIN, sample, run=_run).wall == wall


def test_memory_is_not_scaled() -> None:
    assert run_sampled(_CHAIN, 1, run=_run).peak == 2


def test_a_chain_that_does_nothing_once_is_only_its_units() -> None:
    assert run_sampled(Chain(per_unit=_CHAIN.per_unit), 2, run=_run).wall == 14
