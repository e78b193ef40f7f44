"""How a verification reaches whoever asked for it: files, then standard output. `verify` and `check --evidence` share it."""

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from shipsafe.adapters.files import write_atomic
from shipsafe.cli.screen import MARK, Screen, console, is_terminal
from shipsafe.model.chain import Verification
from shipsafe.reports.chains import words, write

_PADDING = re.compile(r"\s+(\x1b\[0m)?$")  # of the last column
LOCAL = "LOCAL: what answered is the endpoint on this machine, and not AWS."


def tell(
    found: Verification, output: str, files: Iterable[tuple[str, Path]], *, local: bool, quiet: bool, verbose: bool
) -> None:  # fmt: skip
    """Write it to files, and to standard output.

    Args:
        found: what is told.
        output: the form of standard output. Text begins every line with LOCAL where the local endpoint answered; other forms say it once.
        files: form and file of each further report.
        local: whether the local endpoint answered.
        quiet: of text, the first sentence alone.
        verbose: of text, also the links of chains that hold, where there are several.

    Raises:
        IncompleteError: a file cannot be written.
    """
    marked = replace(found, notes=(*found.notes, LOCAL)) if local else found
    for form, file in files:
        write_atomic(file.absolute(), write(marked if form != "text" else found, form).encode())
    if output == "text":
        _show(found, quiet=quiet, verbose=verbose, local=local)
    else:
        sys.stdout.write(write(marked, output))


def _show(found: Verification, *, quiet: bool, verbose: bool, local: bool) -> None:
    """As text: in colour and as wide as the terminal is, where there is one."""
    if quiet:
        Screen(local=local).say(words.first_sentence(found))
        return
    if is_terminal():
        from shipsafe.reports.chains.text import screen  # noqa: PLC0415 - only a terminal needs it

        mark, out = MARK if local else "", console()
        if out.is_terminal:  # and not TTY_COMPATIBLE=0 and the like
            out.width -= len(mark)
            with out.capture() as shown:
                screen(found, out, verbose=verbose)
            sys.stdout.writelines(_PADDING.sub(r"\1", f"{mark}{line}") + "\n" for line in shown.get().splitlines())
            return
    Screen(local=local).say(write(found, "text", verbose=verbose).removesuffix("\n"))
