"""Questions answered in copies of one process: nothing that a question does reaches another one, the process or us."""

import gc
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shipsafe.adapters.forkserver import ForkServer, LostError
from shipsafe.errors import IncompleteError

CHILD = """
import os, pathlib, signal, sys, time
from shipsafe.adapters.forkserver import serve

pathlib.Path(__file__).with_name("imported").touch()
asked = 0

def answer(question):
    global asked
    asked += 1
    what, value = question
    if what == "echo":
        return value
    if what == "count":
        return asked
    if what == "who":
        return [os.getpid(), os.getppid()]
    if what == "where":
        return [os.getcwd(), sorted(os.environ), sorted(os.listdir("/dev/fd"))]
    if what == "die":
        os.kill(os.getpid(), value)
    if what == "raise":
        raise ValueError(value)
    if what == "spin":
        pathlib.Path(value).write_text(f"{os.getpid()} {os.getppid()}")
        sum(range(10**15))  # in C, which looks at no clock
    if what == "large":
        return "x" * value
    if what == "shout":
        sys.stderr.write("shout\\n" * value)
        return "done"
    if what == "work":
        end = time.process_time() + value
        while time.process_time() < end:
            pass

serve(answer)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "child.py"
    path.write_text(CHILD, encoding="utf-8")
    return path


@pytest.fixture
def server(script: Path) -> Generator[ForkServer]:
    made = ForkServer([sys.executable, "-P", script], name="the child", remedy="Do something else.", copies=4)
    yield made
    made.close()


def wait_for(happened: Callable[[], object]) -> None:
    """Until something happens elsewhere; the machine may stand still for a while."""
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has buried yet has."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return not state or state.startswith("Z")


def test_answers_of_many_threads_are_their_own(server: ForkServer) -> None:
    with ThreadPoolExecutor(16) as pool:
        asked = [["echo", {"text": f"é{number}" * 10_000, "number": number}] for number in range(100)]
        assert list(pool.map(lambda one: server.ask(one, timeout=60), asked)) == [one[1] for one in asked]


def test_no_question_leaves_anything_behind_for_the_next(server: ForkServer) -> None:
    assert [server.ask(["count", 0], timeout=60) for _ in range(3)] == [1, 1, 1]


def test_all_questions_are_answered_by_copies_of_one_process(server: ForkServer) -> None:
    answers = [server.ask(["who", 0], timeout=60) for _ in range(3)]
    assert len({parent for _, parent in answers}) == 1
    assert len({copy for copy, _ in answers}) == len(answers)


def test_a_copy_sees_neither_our_environment_nor_our_folder_nor_the_socket_of_the_process(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    folder, environment, descriptors = server.ask(["where", 0], timeout=60)
    assert folder == os.sep
    assert not [name for name in environment if name.startswith(("AWS_", "PYTHON"))]
    assert len(descriptors) <= len(["stdin", "stdout", "stderr", "the question", "the listing itself"])


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
def test_a_copy_that_crashes_takes_nothing_with_it(server: ForkServer, number: int) -> None:
    before = server.ask(["who", 0], timeout=60)[1]
    with pytest.raises(LostError, match="the child ended without an answer: it was killed") as raised:
        server.ask(["die", number], timeout=60)
    assert raised.value.remedy == "Do something else."
    assert server.ask(["who", 0], timeout=60)[1] == before


def test_what_a_copy_raises_is_the_reason(server: ForkServer) -> None:
    with pytest.raises(LostError, match="the child ended without an answer: ValueError: too deep"):
        server.ask(["raise", "too deep"], timeout=60)


def test_a_copy_that_does_not_end_holds_up_nobody(server: ForkServer, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        pid = tmp_path / "pid"
        hanging = pool.submit(server.ask, ["spin", str(pid)], timeout=300)
        wait_for(lambda: pid.exists() and pid.read_text(encoding="utf-8"))
        assert server.ask(["echo", 1], timeout=60) == 1
        assert not hanging.done()
        os.kill(int(pid.read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
        with pytest.raises(LostError, match="it was killed"):
            hanging.result()


def test_a_copy_that_does_not_end_is_ended(server: ForkServer, tmp_path: Path) -> None:
    server.ask(["echo", 1], timeout=60)
    with pytest.raises(IncompleteError, match="did not end within 2 s and was stopped"):
        server.ask(["spin", str(tmp_path / "pid")], timeout=1.5)
    assert server.ask(["echo", 2], timeout=60) == 2


def test_an_answer_without_end_is_not_read_to_its_end(server: ForkServer) -> None:
    with pytest.raises(LostError, match="larger than 64 MiB"):
        server.ask(["large", 65 * 1024 * 1024], timeout=60)


def test_a_copy_that_says_a_lot_does_not_wait_for_a_reader(server: ForkServer) -> None:
    with pytest.raises(IncompleteError):  # Python itself gives up writing, which ends the copy at once
        server.ask(["shout", 1_000_000], timeout=60)
    assert server.ask(["shout", 10], timeout=60) == "done"


def test_a_process_that_somebody_ended_is_started_again(server: ForkServer) -> None:
    first = server.ask(["who", 0], timeout=60)[1]
    os.kill(first, signal.SIGKILL)
    assert server.ask(["who", 0], timeout=60)[1] != first


def test_a_process_that_cannot_start_says_why_and_is_not_tried_for_ever(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text("import no_such_module\n", encoding="utf-8")
    with pytest.raises(IncompleteError, match="the child ended without an answer: ModuleNotFoundError: No module named 'no_such_module'"):
        ForkServer([sys.executable, script], name="the child").ask(1, timeout=60)
    with pytest.raises(IncompleteError, match="could not be started"):
        ForkServer([tmp_path / "nothing"], name="the child").ask(1, timeout=60)


def test_it_can_be_started_before_there_is_a_question(server: ForkServer, tmp_path: Path) -> None:
    server.start()
    wait_for((tmp_path / "imported").exists)
    assert server.ask(["echo", 1], timeout=60) == 1


def test_the_time_that_copies_take_is_counted_as_ours(server: ForkServer) -> None:
    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    for _ in range(2):
        server.ask(["work", 0.2], timeout=60)
    server.close()
    assert spent() - before >= 0.4


def test_no_descriptor_and_no_process_is_left_behind(server: ForkServer) -> None:
    server.close()
    gc.collect()  # what earlier tests have left open is closed now, and not between the two counts
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - names are all that is wanted
    copy, process = server.ask(["who", 0], timeout=60)
    with pytest.raises(IncompleteError):
        server.ask(["raise", ""], timeout=60)
    server.close()
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
    assert is_gone(copy)
    assert is_gone(process)


US = """
import sys, threading, time
from pathlib import Path
from shipsafe.adapters import process
from shipsafe.adapters.forkserver import ForkServer, LostError
from shipsafe.errors import IncompleteError

server = ForkServer([sys.executable, "-P", {child!r}], name="the child")

def ask(question):
    try:
        server.ask(question, timeout=300)
    except IncompleteError as error:
        print(error, flush=True)

asking = threading.Thread(target=ask, args=(["spin", {pid!r}],))
asking.start()
while not Path({pid!r}).exists() or not Path({pid!r}).read_text():
    time.sleep(0.01)
{then}
"""


def start_us(script: Path, then: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Another of us, in the middle of a question; and the processes of its copy and server."""
    pid = script.with_name("pid")
    code = US.format(child=str(script), pid=str(pid), then=then)
    us = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: pid.exists() and len(pid.read_text(encoding="utf-8").split()) == 2)
    return us, [int(one) for one in pid.read_text(encoding="utf-8").split()]


def test_process_and_copies_end_when_we_are_killed(script: Path) -> None:
    us, left = start_us(script, "time.sleep(3600)")
    with us:
        us.kill()
    for pid in left:
        wait_for(lambda pid=pid: is_gone(pid))  # type: ignore[misc]


def test_process_and_copies_end_when_the_run_is_interrupted(script: Path) -> None:
    us, left = start_us(script, 'process.end_all(); asking.join(); ask(["echo", 1])')
    with us:
        said = us.communicate(timeout=120)[0].splitlines()
    assert said[0].startswith("the child ended without an answer")
    assert said[1].endswith("was not started because the run is ending.")
    for pid in left:
        wait_for(lambda pid=pid: is_gone(pid))  # type: ignore[misc]


def test_without_fork_every_question_has_a_process_of_its_own(script: Path, tmp_path: Path) -> None:
    server = ForkServer([sys.executable, "-P", script], name="the child", forks=False)
    server.start()
    assert not (tmp_path / "imported").exists()
    assert server.ask(["echo", {"text": "é"}], timeout=60) == {"text": "é"}
    assert server.ask(["who", 0], timeout=60)[1] == os.getpid()
    with pytest.raises(LostError, match="the child ended without an answer: ValueError: too deep"):
        server.ask(["raise", "too deep"], timeout=60)
    with pytest.raises(LostError, match="it was killed"):
        server.ask(["die", signal.SIGSEGV], timeout=60)
    with pytest.raises(IncompleteError, match="did not end within 1 s"):
        server.ask(["spin", str(tmp_path / "pid")], timeout=1)
