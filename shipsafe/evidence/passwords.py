"""The password of a key: from the environment, from a file that the environment names, or asked on a terminal; never from an argument.

A password on a command line is in the shell's history, in the list of processes and in the logs of a pipeline.
"""

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from shipsafe.adapters.files import read_bounded
from shipsafe.errors import ConfigError

VARIABLE = "SHIPSAFE_KEY_PASSWORD"
FILE_VARIABLE = "SHIPSAFE_KEY_PASSWORD_FILE"
SHORTEST = 12  # characters of a new password
_LONGEST = 1023  # bytes: what OpenSSL takes
Ask = Callable[[str], str]


def terminal(question: str) -> str:
    """Ask whoever sits at the terminal, without showing what is typed.

    Raises:
        ConfigError: nobody does.
    """
    if not sys.stdin.isatty():
        raise ConfigError("A key needs its password, and there is no terminal to ask on.", remedy=f"Set {VARIABLE} or {FILE_VARIABLE}.")
    try:
        return getpass.getpass(question)
    except EOFError as error:
        raise ConfigError("No password was given.", remedy=f"Type it, or set {VARIABLE} or {FILE_VARIABLE}.") from error


def password_of(key: str, *, environment: Mapping[str, str] = os.environ, ask: Ask = terminal) -> bytes:
    """The password of a key; `key` is its name, for people.

    Raises:
        ConfigError: there is none, both variables are set, or the file that one names cannot be read.
    """
    told = _told(environment)
    return told if told is not None else _bytes(ask(f"Password of {key}: "))


def new_password(key: str, *, environment: Mapping[str, str] = os.environ, ask: Ask = terminal) -> bytes:
    """The password for a new key, asked twice where it is asked.

    Raises:
        ConfigError: as `password_of`; or it is too short, or the two differ.
    """
    password = _told(environment)
    if password is None:
        password = _bytes(ask(f"New password for {key} (at least {SHORTEST} characters): "))
        if _bytes(ask("The same again: ")) != password:
            raise ConfigError("The two passwords differ; no key was made.", remedy="Run it again.")
    if len(password.decode(errors="replace")) < SHORTEST:
        raise ConfigError(f"The password has fewer than {SHORTEST} characters; no key was made.", remedy="Choose a longer one.")
    return password


def _told(environment: Mapping[str, str]) -> bytes | None:
    said, file = environment.get(VARIABLE), environment.get(FILE_VARIABLE)
    if said and file:
        raise ConfigError(f"{VARIABLE} and {FILE_VARIABLE} are both set.", remedy="Unset one.")
    if said:
        return _bytes(said)
    if not file:
        return None
    first = read_bounded(Path(file), limit=16 * 1024, shown=f"{file} ({FILE_VARIABLE})").split(b"\n", 1)[0].removesuffix(b"\r")
    return _bytes(first.decode(errors="surrogateescape"))


def _bytes(text: str) -> bytes:
    data = text.encode(errors="surrogateescape")
    if not data or len(data) > _LONGEST:
        raise ConfigError(f"A password has 1 to {_LONGEST} bytes, and this has {len(data)}.", remedy="Give the key's password.")
    return data
