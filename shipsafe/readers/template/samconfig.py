"""`samconfig.toml` -> parameter values, as `sam deploy` would use them for its `default` environment.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipsafe.adapters import toml
from shipsafe.adapters.files import read_bounded
from shipsafe.errors import ConfigError
from shipsafe.readers.template.parameters import Given

NAME = "samconfig.toml"
_LIMIT = 256 * 1024
_PLACE = re.compile(r"\(at line ([0-9]+), column ([0-9]+)\)")
_PSEUDO = {"region": "AWS::Region", "stack_name": "AWS::StackName"}
# The older of the two ways to write one: ParameterKey=Stage,ParameterValue=prod
_LONG = re.compile(r"ParameterKey=(?P<name>[^,]*),ParameterValue=(?P<value>.*)", re.DOTALL)


def read_samconfig(folder: Path) -> Given:
    """What `[default.deploy.parameters]`, and below it `[default.global.parameters]`, say of parameters, region and stack name.

    Nothing where there is no file. Names that the template has not are no error: SAM leaves them out, too.

    Raises:
        ConfigError: the file is not TOML, or its overrides cannot be read.
    """
    path = folder / NAME
    if not path.is_file():
        return Given(values={}, source=NAME, path=NAME, must_exist=False)
    document = _parse(read_bounded(path, limit=_LIMIT, shown=NAME))
    environment = _table(document, "default")
    values: dict[str, str] = {}
    for command in ("global", "deploy"):  # the later one wins
        parameters = _table(_table(environment, command), "parameters")
        values |= {name: parameters[key] for key, name in _PSEUDO.items() if isinstance(parameters.get(key), str)}
        values |= _overrides(parameters.get("parameter_overrides"))
    return Given(values=values, source=NAME, path=NAME, must_exist=False)


def _parse(data: bytes) -> Mapping[str, Any]:
    try:
        return toml.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Save it as UTF-8.", path=NAME) from error
    except RecursionError as error:  # tomllib follows nested arrays to any depth
        raise ConfigError("Nested too deep.", remedy="Write it flatter.", path=NAME) from error
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line, column = (int(place[1]), int(place[2])) if place else (None, None)
        what = _PLACE.sub("", str(error)).strip()
        raise ConfigError(f"Not TOML: {what}.", remedy="Correct it there.", path=NAME, line=line, column=column) from error


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _overrides(value: Any) -> dict[str, str]:
    """`"A=1 B='x y'"`, `["A=1", "B=x y"]`, or a table."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {name: _text(entry) for name, entry in value.items()}
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise ConfigError("The quotes of parameter_overrides do not match.", remedy="Close every quote.", path=NAME) from error
    if not isinstance(value, list):
        raise ConfigError("parameter_overrides is neither text nor a list.", remedy='Write "Name=value".', path=NAME)
    found: dict[str, str] = {}
    for entry in value:
        if isinstance(entry, dict):
            found |= {name: _text(part) for name, part in entry.items()}
            continue
        text = _text(entry)
        long = _LONG.fullmatch(text)
        name, equals, rest = (long["name"], "=", long["value"]) if long else text.partition("=")
        if not equals or not name:
            raise ConfigError("parameter_overrides has an entry without `=`.", remedy='Write "Name=value".', path=NAME)
        found[name] = rest if isinstance(entry, str) else _text(rest)
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
