"""What a program took is what its whole process tree took."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bench import measure
from bench.measure import BenchError, Spent, Step, environment, middle, spend, tree

_MEGABYTE = 1_000_000


def _python(code: str, accepted: tuple[int, ...] = (0,)) -> Step:
    return Step(argv=[sys.executable, "-c", code], cwd=Path("/"), accepted=accepted)


def _in_a_child(code: str) -> str:
    """A program that runs another one, waits for it, and does nothing itself."""
    return f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"


def test_processor_time_of_a_grandchild_counts(tmp_path: Path) -> None:
    burn = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass"
    assert spend([_python(_in_a_child(burn))], log=tmp_path / "log").cpu >= 0.3


@pytest.fixture
def holding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], str]:
    """A program that holds so many bytes until as many of all programs were seen at once, however seldom a busy machine looks."""
    seen, named = tmp_path / "seen", measure._named

    def program(size: int, together: int) -> str:
        def noted(each: Mapping[int, int]) -> str:
            if sum(each.values()) >= together:
                seen.touch()
            return named(each)

        monkeypatch.setattr(measure, "_named", noted)
        wait = f"while not os.path.exists({str(seen)!r}) and time.monotonic() < until: time.sleep(0.01)"
        return f"import os, time\nheld, until = b'x' * {size}, time.monotonic() + 120\n{wait}"

    return program


def test_memory_of_a_grandchild_counts(tmp_path: Path, holding: Callable[[int, int], str]) -> None:
    hold = holding(80 * _MEGABYTE, 80 * _MEGABYTE)
    assert spend([_python(_in_a_child(hold))], log=tmp_path / "log").peak >= 80 * _MEGABYTE


def test_memory_of_processes_that_live_together_is_added(tmp_path: Path, holding: Callable[[int, int], str]) -> None:
    hold = holding(50 * _MEGABYTE, 100 * _MEGABYTE)
    both = f"import subprocess, sys; [one.wait() for one in [subprocess.Popen([sys.executable, '-c', {hold!r}]) for _ in 'ab']]"
    spent = spend([_python(both)], log=tmp_path / "log")
    assert spent.peak >= 100 * _MEGABYTE
    assert spent.held.count("MB") == 3  # the two and their parent, by the name of the program


def test_steps_follow_each_other(tmp_path: Path) -> None:
    write, read = "open('note', 'w').write('here')", "assert open('note').read() == 'here'"
    steps = [Step(argv=[sys.executable, "-c", code], cwd=tmp_path) for code in (write, read)]
    assert spend(steps, log=tmp_path / "log").wall > 0


def test_a_program_that_fails_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"ended with 3:\nno room"):
        spend([_python("import sys; print('no room'); sys.exit(3)")], log=tmp_path / "log")


def test_an_exit_code_that_means_done_is_no_error(tmp_path: Path) -> None:
    assert spend([_python("import sys; sys.exit(1)", accepted=(0, 1))], log=tmp_path / "log").cpu > 0


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="could not be started"):
        spend([Step(argv=[tmp_path / "absent"], cwd=tmp_path)], log=tmp_path / "log")


_DETACHED = """
import subprocess, sys
from pathlib import Path
from bench import measure
from bench.measure import BenchError, Step, adopt, spend
adopt()
measure._GRACE = float(sys.argv[4])
left = '''
import subprocess, sys, time
from pathlib import Path
subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)
while not Path(sys.argv[2]).exists() or not Path(sys.argv[2]).read_text():
    time.sleep(0.01)
'''
try:
    print(spend([Step(argv=[sys.executable, "-c", left, sys.argv[2], sys.argv[3]], cwd=Path("/"))], log=Path(sys.argv[1])).cpu)
except BenchError as error:
    print(error)
"""


def _detached(code: str, folder: Path, repository: Path, *, grace: float) -> str:
    """What is said of a program that leaves `code` running behind it; it ends when the file `pid` says that it runs."""
    code = f"import os; open({str(folder / 'pid')!r}, 'w').write(str(os.getpid()))\n{code}"
    argv = [sys.executable, "-c", _DETACHED, str(folder / "log"), code, str(folder / "pid"), str(grace)]
    return subprocess.run(argv, cwd=repository, capture_output=True, text=True, check=True).stdout


def test_processor_time_of_a_process_that_was_left_behind_counts(tmp_path: Path, repository: Path) -> None:
    burn = "import time\nuntil = time.process_time() + 0.2\nwhile time.process_time() < until: pass"
    assert float(_detached(burn, tmp_path, repository, grace=120)) >= 0.2


def test_a_process_that_goes_on_is_an_error_and_is_ended(tmp_path: Path, repository: Path) -> None:
    """Else its work would be measured for whoever comes next, or not at all."""
    assert "left a process running" in _detached("import time; time.sleep(3600)", tmp_path, repository, grace=0.1)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_a_tree_holds_the_process_itself_and_its_children() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert {os.getpid(), child.pid} <= set(tree(os.getpid()))
    finally:
        child.communicate(b"\n")


def test_a_tree_of_nobody_is_no_error() -> None:
    assert list(tree(2**30)) == [2**30]


def test_the_middle_is_the_median_of_times_and_the_largest_memory() -> None:
    runs = [Spent(wall=wall, cpu=cpu, peak=peak) for wall, cpu, peak in ((1, 9, 5), (7, 2, 8), (3, 4, 6))]
    assert middle(runs) == Spent(wall=3, cpu=4, peak=8)


def test_settings_that_change_how_python_or_shipsafe_behave_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", "/elsewhere")
    found = environment({"SHIPSAFE_PROFILE": "here"})
    assert "PYTHONDONTWRITEBYTECODE" not in found
    assert "SHIPSAFE_CACHE_DIR" not in found
    assert found["SHIPSAFE_PROFILE"] == "here"
