"""Code of others that has to run: what it can still reach when it is shut in."""

import json
import socket
import sys
from pathlib import Path

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


def test_who_is_shut_in_can_talk_to_no_socket_of_the_machine(tmp_path: Path) -> None:
    home = tmp_path / "folder" / "home"
    home.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        done = run_isolated([sys.executable, "-c", _TRIES, tmp_path / "agent"], folder=tmp_path / "folder", home=home, timeout=60, run=run)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["pair"], told["random"]) == ("x", 8)
    shut_in = isolation() is Isolation.SHUT_IN  # as far as this machine can
    assert (told["agent"], told["ring"] == "Permission denied") == (("Permission denied", True) if shut_in else ("talked to", False))
    assert (told["devices"] == ["fd", "full", "null", "random", "urandom", "zero"]) is shut_in
