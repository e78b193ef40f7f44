"""Code of others that has to run: what it can still reach when it is shut in."""

import ctypes
import errno
import json
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shipsafe.adapters import shut_in
from shipsafe.adapters.process import run
from shipsafe.adapters.sandbox import Isolation, isolation, run_isolated

_TRIES = """
import ctypes, json, os, socket, sys
told = {}
try:
    with socket.socket(socket.AF_UNIX) as agent:
        agent.connect(sys.argv[1])
    told["agent"] = "talked to"
except OSError as error:
    told["agent"] = error.strerror
kernel = ctypes.CDLL(None, use_errno=True)
told["ring"] = os.strerror(ctypes.get_errno()) if kernel.syscall(425, 1, ctypes.create_string_buffer(200)) < 0 else "made"
ours, theirs = socket.socketpair()
ours.sendall(b"x")
told["pair"] = theirs.recv(1).decode()
socket.socket(socket.AF_INET).close()
told["devices"] = sorted(os.listdir("/dev"))
told["random"] = len(open("/dev/urandom", "rb").read(8))
open("/dev/null", "wb").write(b"x")
print(json.dumps(told))
"""


def test_who_is_shut_in_can_talk_to_no_socket_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is named from the folder it lies in: the name of one has at most 107 characters, and folders of tests may be deep."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "folder" / "home"
    home.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind("agent")
        agent.listen()
        done = run_isolated([sys.executable, "-c", _TRIES, "../agent"], folder=tmp_path / "folder", home=home, timeout=60, run=run)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["pair"], told["random"]) == ("x", 8)
    shut_in = isolation() is Isolation.SHUT_IN  # as far as this machine can
    assert (told["agent"], told["ring"] == "Permission denied") == (("Permission denied", True) if shut_in else ("talked to", False))
    assert (told["devices"] == ["fd", "full", "null", "random", "urandom", "zero"]) is shut_in


def test_what_was_hidden_in_the_home_folder_a_moment_ago_and_is_gone_needs_no_cover(tmp_path: Path) -> None:
    """`git config` and editors have locks there; one that goes away between two looks must not leave the code with less of a cage."""

    def no_such_file(*_: Any) -> int:
        ctypes.set_errno(errno.ENOENT)
        return -1

    kernel: Any = SimpleNamespace(mount=no_such_file)
    shut_in._cover(kernel, tmp_path / ".gitconfig.lock")
    (tmp_path / ".netrc").touch()
    for there in (".netrc", "."):
        with pytest.raises(FileNotFoundError):
            shut_in._cover(kernel, tmp_path / there)
