"""What `sandbox` starts in namespaces of its own, and what then becomes the program that is to be shut in.

It makes every file read-only but those of one folder, hides what lies hidden in the user's home, takes away Unix sockets and devices,
and gives up every capability for good:

    python -I -S shut_in.py WRITABLE HOME NEEDED... -- PROGRAM ARGUMENT...

Hidden entries of HOME (`.aws`, `.ssh`, `.netrc`) are covered, unless one of the NEEDED paths lies in them: Python may live there.
A socket of the file system is neither a file that is written to nor a network: who may talk to Docker's is root on the machine, and to an
agent's signs with the user's keys. So nobody may make one (seccomp(2)); pairs of sockets, which reach nobody else, stay.
Sources: mount(2), mount_setattr(2) (Linux 5.12), capabilities(7). Without a capability nobody makes a mount writable again, and in a
namespace that the program makes itself mounts that it has inherited are locked (mount_namespaces(7)).
"""

import ctypes
import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC = 2, 4, 4096, 16384
_MOUNT_SETATTR = 442  # the same on every processor
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY = 1
_AF_UNIX = 1
_CAPBSET_DROP, _SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 24, 38, 22, 2
_DEV, _DEVICES = Path("/dev"), ("null", "zero", "full", "random", "urandom")
_CAPABILITIES = 64  # more than there are


_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of a filter: linux/bpf_common.h
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # where they stand in `struct seccomp_data`
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
_IO_URING_SETUP, _OTHER_CALLS = 425, 0x40000000  # makes sockets, too; and the calls of x32, which are others
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # machine -> its name in a filter, and the number of socket(2)


class _Instruction(ctypes.Structure):
    """`struct sock_filter`."""

    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


class _Attributes(ctypes.Structure):
    """`struct mount_attr`."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace"))


def _main(arguments: list[str]) -> None:
    split = arguments.index("--")
    writable, home, *needed = (Path(one).resolve() for one in arguments[:split])
    kernel = ctypes.CDLL(None, use_errno=True)
    for path in _hidden(home, (writable, *needed)):
        _cover(kernel, path)
    if not any(one.is_relative_to(_DEV) for one in (writable, *needed)):
        _cover_devices(kernel)
    _check(kernel.mount(os.fsencode(writable), os.fsencode(writable), None, _MS_BIND | _MS_REC, None))
    _change(kernel, Path("/"), _Attributes(_ATTR_RDONLY, 0, 0, 0), _AT_RECURSIVE)
    _change(kernel, writable, _Attributes(0, _ATTR_RDONLY, 0, 0), 0)
    for capability in range(_CAPABILITIES):
        kernel.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    _check(kernel.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _refuse_unix_sockets(kernel)
    os.chdir(writable)  # not where we were: that is the folder below the new mount
    os.execvp(arguments[split + 1], arguments[split + 1 :])  # noqa: S606 - no shell is wanted


def _refuse_unix_sockets(kernel: ctypes.CDLL) -> None:
    if os.uname().machine not in _SOCKET:
        return
    architecture, socket = _SOCKET[os.uname().machine]
    steps = (
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, 7, architecture),  # how many steps to leave out: if so, and if not
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 5, 0, _OTHER_CALLS),
        (_EQUAL, 4, 0, _IO_URING_SETUP),
        (_EQUAL, 0, 2, socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    instructions = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    _check(kernel.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(_Program(len(steps), instructions)), 0, 0))


def _hidden(home: Path, needed: Iterable[Path]) -> list[Path]:
    """What to cover."""
    if not home.is_dir():
        return []
    paths = [path.resolve() for path in home.glob(".*") if path.exists()]
    return [path for path in paths if not any(one.is_relative_to(path) for one in needed)]


def _cover(kernel: ctypes.CDLL, path: Path) -> None:
    """Hide a path; one that is gone by now (`git config` has a lock in the home folder for a moment) hides itself."""
    try:
        if path.is_dir():
            # Not 1777: in such a folder nobody may open another user's file with O_CREAT; /dev/null is root's, whom we do not have here.
            _check(kernel.mount(b"none", os.fsencode(path), b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=755"))
        else:
            _check(kernel.mount(b"/dev/null", os.fsencode(path), None, _MS_BIND, None))
    except FileNotFoundError:
        if path.exists():
            raise


def _cover_devices(kernel: ctypes.CDLL) -> None:
    """Leave the devices that hold nothing: root may write to disks and terminals also where every mount is read-only."""
    held = {name: os.open(_DEV / name, os.O_PATH) for name in _DEVICES if (_DEV / name).exists()}
    _cover(kernel, _DEV)
    for name, descriptor in held.items():
        (_DEV / name).touch()
        _check(kernel.mount(f"/proc/self/fd/{descriptor}".encode(), os.fsencode(_DEV / name), None, _MS_BIND, None))
        os.close(descriptor)
    (_DEV / "fd").symlink_to("/proc/self/fd")


def _change(kernel: ctypes.CDLL, path: Path, attributes: _Attributes, flags: int) -> None:
    size = ctypes.sizeof(attributes)
    _check(kernel.syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, ctypes.byref(attributes), size))


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    _main(sys.argv[1:])
