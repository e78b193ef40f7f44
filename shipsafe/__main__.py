"""The only place that ends the process: one exit code, one clear message, never a traceback."""

import errno
import gc
import os
import signal
import sys
import threading
from contextlib import suppress
from io import TextIOWrapper
from types import FrameType
from typing import NoReturn

from shipsafe import __version__
from shipsafe.errors import ExitCode, ShipsafeError, gravest

# What these have begun at AWS does not end with them.
_ON_AWS = (["sign"], ["bootstrap"], ["revoke"], ["deploy"], ["ship"], ["enforce"], ["layers"])
# What these find is a verdict, which the next steps of a job on GitHub are told.
_JUDGING = (["check"], ["build"], ["sign"], ["verify"], ["deploy"], ["ship"])
_FULL = (errno.ENOSPC, errno.EDQUOT)


class _TerminatedError(BaseException):
    """SIGTERM, as an exception, so that everything is ended and tidied on the way out."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code (the table is in `shipsafe.errors.ExitCode`)."""
    if sys.argv[1:] == ["--version"]:  # answered before anything is imported
        print(f"shipsafe {__version__}")  # noqa: T201 - the answer
        sys.exit(ExitCode.PASS)
    signal.signal(signal.SIGTERM, _terminate)
    if sys.argv[1:2] != ["local"]:  # an endpoint runs on and on, and uploads of many megabytes would wait in its garbage
        gc.set_threshold(50_000, 10, 10)  # Python's own looks again and again at what imports have left: an eighth of a build's time
    _open_streams()
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows only ASCII gets escapes, not an error
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone (`| head`); what we decided stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        code = gravest([ExitCode(code), ExitCode(_unwritten(error))])
    _leave(code)


def _open_streams() -> None:
    """What the shell has closed (`>&-`) is None in Python: what goes there goes nowhere, and nobody can be asked."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - for as long as the process lives


def _leave(code: int) -> NoReturn:
    """End at once: taking the interpreter apart takes a tenth of a short command's time, and has nothing left to do."""
    _signals_end_with(code)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    try:
        from shipsafe.cli.app import run  # noqa: PLC0415 - after --version

        return run(sys.argv[1:])
    except ShipsafeError as error:
        _tell_next_step(error.exit_code)
        return _say(f"error: {error}", error.exit_code)
    except KeyboardInterrupt:
        return _ended("Interrupted", ExitCode.INTERRUPTED)
    except _TerminatedError:
        return _ended("Terminated", ExitCode.TERMINATED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INCOMPLETE
    except Exception as error:  # a bug of ours: exit 1 would mean "findings", so it must not escape
        if os.environ.get("SHIPSAFE_DEBUG"):
            raise
        if isinstance(error, OSError) and error.errno in _FULL:
            return _unwritten(error)
        return _say(
            f"error: shipsafe itself failed ({type(error).__name__}: {error}). This is a bug, and {_left()}. "
            "With SHIPSAFE_DEBUG=1 it prints the traceback: please report that.",
            ExitCode.INCOMPLETE,
        )


def _tell_next_step(code: ExitCode) -> None:
    """The outputs of a step on GitHub, of a command that did not come to its own end."""
    if os.environ.get("GITHUB_OUTPUT") and (sys.argv[1:2] in _JUDGING or sys.argv[1:3] == ["report", "collect"]):
        from shipsafe.cli.github_output import append_ended  # noqa: PLC0415 - only in a workflow

        with suppress(ShipsafeError):  # that they cannot be written is the smaller of two errors
            append_ended(code)


def _unwritten(error: OSError) -> int:
    """A disk that is full, behind standard output for example."""
    return _say(f"error: Not all could be written ({error.strerror}), and {_left()}.", ExitCode.INCOMPLETE)


def _ended(how: str, code: ExitCode) -> int:
    from shipsafe.adapters.process import end_all  # noqa: PLC0415 - only when ending

    # Pipelines send SIGINT and a few seconds later SIGTERM: the second must not end as a traceback, whose 1 would mean findings.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    end_all()
    _signals_end_with(code)
    return _say(f"{how}: children were ended, {_left()}.", code)


def _signals_end_with(code: int) -> None:
    """What is decided stands; but a thread may wait for AWS, and whoever asks for the end then does not."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(code))


def _left() -> str:
    """What a run leaves that did not come to its end."""
    asked = "what AWS was asked for goes on there. Run this again: it goes on where it was"
    return asked if sys.argv[1:2] in _ON_AWS else "nothing was published"


def _say(message: str, code: ExitCode) -> int:
    from shipsafe.adapters.aws.session import is_local  # noqa: PLC0415 - only when something went wrong
    from shipsafe.reports.escape import clean  # noqa: PLC0415 - likewise

    mark = "LOCAL " if os.environ.get("SHIPSAFE_LOCAL_ROOT") and is_local() else ""
    for line in clean(message, lines=True).split("\n"):
        with suppress(OSError):  # nobody can read it; the exit code stands
            print(f"{mark}{line}", file=sys.stderr)  # noqa: T201 - the message
    return code


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _TerminatedError


if __name__ == "__main__":
    main()
