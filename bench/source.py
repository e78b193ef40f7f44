"""Source code of made-up functions, of the size and shape that functions have: a handler and two to five modules beside it.

Nothing in it is random: the number of the function chooses. It is clean, so that every contender passes and does all of its work.
"""

from collections.abc import Sequence

_THINGS = ("order", "invoice", "customer", "shipment", "payment", "product", "refund", "voucher", "session", "report", "device")
_FIELDS = ("identifier", "status", "amount", "currency", "created", "updated", "owner", "region", "priority", "channel", "note")
_MODULES = ("model", "rules", "store", "render", "metrics")
_FEWEST = 2  # modules beside the handler


def modules(number: int, *, needs: Sequence[str] = ()) -> dict[str, str]:
    """File name -> text: 3 to 6 files, the handler `app.py` among them; it imports `needs`."""
    names = _MODULES[: _FEWEST + number % 4]
    thing = _THINGS[number % len(_THINGS)]
    written = {f"{name}.py": _module(name, thing, number + 7 * place) for place, name in enumerate(names)}
    return {"app.py": _handler(thing, names, needs, number), **written}


def _handler(thing: str, names: Sequence[str], needs: Sequence[str], number: int) -> str:
    imports = "".join(f"import {name}\n" for name in sorted(needs))
    own = "".join(f"import {name}\n" for name in sorted(names))
    calls = "".join(f"    done.append({name}.describe_{thing}_{number + 7 * place}_0(body))\n" for place, name in enumerate(names))
    used = ", ".join(f'"{name}": {name}.__name__' for name in sorted(needs))
    return (
        f'"""Handles events about a {thing} (function {number})."""\n\nimport json\nimport logging\nimport os\n\n{imports}\n{own}\n'
        f'logger = logging.getLogger(__name__)\nTABLE = os.environ.get("TABLE", "{thing}-{number}")\nPARTS = {{{used}}}\n\n\n'
        "def handler(event: dict, _context: object) -> dict:\n"
        f'    """Read one {thing} from the body, look at it, and answer with what was done."""\n'
        '    body = json.loads(event.get("body") or "{}")\n    done: list[str] = []\n'
        f"{calls}"
        f'    logger.info("%s: %d parts looked at a {thing}", TABLE, len(done))\n'
        '    return {"statusCode": 200, "body": json.dumps({"done": done, "parts": sorted(PARTS)})}\n'
    )


def _module(name: str, thing: str, number: int) -> str:
    """About a hundred lines: a table of limits and functions that check, convert and describe."""
    start = f'"""The {name} of a {thing}."""\n\nfrom datetime import UTC, datetime\n\nLIMITS = {{\n'
    limits = "".join(f'    "{field}": {(number * 37 + place * 11) % 900 + 100},\n' for place, field in enumerate(_FIELDS))
    functions = "".join(_functions(thing, f"{number}_{turn}", _FIELDS[(number + turn) % len(_FIELDS)]) for turn in range(4 + number % 3))
    return f"{start}{limits}}}\n{functions}"


def _functions(thing: str, mark: str, field: str) -> str:
    return f'''

def check_{thing}_{mark}(values: dict) -> list[str]:
    """What is wrong with the {field} of a {thing}, as sentences; empty when nothing is."""
    problems = []
    value = values.get("{field}")
    if value is None:
        problems.append("{field} is missing")
    elif isinstance(value, str) and len(value) > LIMITS["{field}"]:
        problems.append(f"{field} is longer than {{LIMITS['{field}']}} characters")
    elif isinstance(value, int) and not 0 <= value <= LIMITS["{field}"]:
        problems.append(f"{field} is not between 0 and {{LIMITS['{field}']}}")
    return problems


def describe_{thing}_{mark}(values: dict) -> str:
    """The {field} in one line, with the time at which it was looked at."""
    problems = check_{thing}_{mark}(values)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    if problems:
        return f"{{moment}} {thing}: {{'; '.join(problems)}}"
    return f"{{moment}} {thing}: {field} is {{values['{field}']}}"
'''
