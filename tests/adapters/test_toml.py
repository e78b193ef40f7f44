"""TOML of others: read as tomllib reads it, and never for minutes."""

import time
import tomllib

import pytest

from shipsafe.adapters import toml


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 400_000 + " = 1\n",
        "x = 1\n[" + "a . " * 20_000 + "a]\n",
        '"a"' + '."b"' * 50_000 + " = 1\n",
        "x = {" + "a." * 50_000 + "b = 1}\n",
    ],
)
def test_a_key_of_many_parts_is_refused_at_once(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(tomllib.TOMLDecodeError, match=r"^A key of more than 64 parts \(at line [12]\)$"):
        toml.loads(text)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("text", ["x = '" + "a" * 1_000_000 + "'", "x = '" + "a- " * 300_000 + "'", "x = '''" + "\"'\n" * 200_000 + "'''"])
def test_looking_for_such_keys_takes_no_time_itself(text: str) -> None:
    begun = time.process_time()
    assert toml.loads(text) == tomllib.loads(text)
    assert time.process_time() - begun < 2


def test_everything_else_is_as_tomllib_has_it() -> None:
    text = f"a.b.c = 1\n['x y'.\"z\"]\nversion = '1.2.3'\nkeys.{'.'.join('abcdefghij')} = true\n"
    assert toml.loads(text) == tomllib.loads(text)
    with pytest.raises(tomllib.TOMLDecodeError):
        toml.loads("a =")
