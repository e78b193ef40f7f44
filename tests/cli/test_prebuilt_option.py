"""`--prebuilt` is a path, or a name and a path; what is there is a path, whatever is in its name."""

from pathlib import Path

import pytest

from shipsafe.cli.options import prebuilt
from shipsafe.model.project import Built


@pytest.mark.parametrize(
    ("word", "built"),
    [
        (".aws-sam/build", Built(path=Path(".aws-sam/build"))),
        ("Pay=out/pay.zip", Built(path=Path("out/pay.zip"), name="Pay")),
        ("Inner.Deep=out", Built(path=Path("out"), name="Inner.Deep")),
        ("Pay=a=b", Built(path=Path("a=b"), name="Pay")),
        ("out/x=1", Built(path=Path("out/x=1"))),
        ("here=1", Built(path=Path("here=1"))),
    ],
)
def test_a_word_is_read(word: str, built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here=1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert prebuilt([word]) == (built,)


def test_nothing_is_nothing() -> None:
    assert prebuilt(None) == ()
