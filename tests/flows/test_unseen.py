"""What nobody could look at in another revision is said once for each gate and reason, whether one machine looked or several."""

import pytest

from shipsafe.flows.unseen import joined, unseen
from shipsafe.model.verdict import Decision, Unanswered, Verdict

SHOWN = "main (0123456789ab)"
INDEX = "pypi.example answers nothing, so whatever it finds now counts as new: nobody knows."
NAMES = [f"function:{name}" for name in ("Cart", "Mail", "Pay", "Refund", "Search", "Stock", "Tax")]


def _verdict(subjects: list[str], *others: Unanswered) -> Verdict:
    silent = (Unanswered(gate="dependencies", subject=one, reason=INDEX) for one in subjects)
    return Verdict(decision=Decision.INCOMPLETE, unanswered=(*silent, *others))


@pytest.mark.parametrize("machines", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [1, 5, 7])
def test_several_machines_say_what_one_would(machines: int, count: int) -> None:
    """Also where there are more than one remark names, and where a reason reads like the rest of a remark."""
    lint = Unanswered(gate="lint", subject="function:Pay", reason="ruff crashed.")
    whole = unseen(_verdict(NAMES[:count], lint), SHOWN)
    shares = [NAMES[:count][number::machines] for number in range(machines)]
    said = [unseen(_verdict(share, *([lint] if not number else [])), SHOWN) for number, share in enumerate(shares)]
    assert joined(SHOWN, [remark for share in reversed(said) for remark in share]) == whole
    assert len(whole) == 2


def test_as_people_read_it() -> None:
    """The first five by name, and how many more."""
    reason = "pypi.example answers nothing."
    verdict = Verdict(
        decision=Decision.INCOMPLETE,
        unanswered=tuple(Unanswered(gate="dependencies", subject=one, reason=reason) for one in reversed(NAMES)),
    )
    (remark,) = unseen(verdict, SHOWN)
    assert remark == (
        "At main (0123456789ab) dependencies has no answer for function:Cart, function:Mail, function:Pay, function:Refund,"
        " function:Search and 2 more, so whatever it finds now counts as new: pypi.example answers nothing."
    )


def test_other_remarks_stay_and_a_layer_of_two_shares_is_one() -> None:
    """A layer is asked about wherever a function that uses it is."""
    nothing = f"At {SHOWN} there is nothing of this yet: all of it counts as new."
    (layer,) = unseen(_verdict(["layer:Common"]), SHOWN)
    assert joined(SHOWN, [nothing, layer, nothing, layer]) == (nothing, layer)
    assert joined(SHOWN, []) == ()
