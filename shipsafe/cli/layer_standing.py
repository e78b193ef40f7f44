"""How `shipsafe layers check` tells what it found. `cli/layers.py` has the options."""

from collections.abc import Iterator, Sequence

from shipsafe.adapters.aws.session import is_local
from shipsafe.cli.screen import Screen
from shipsafe.errors import ExitCode
from shipsafe.flows.layers import PlaceLayers, exit_code

_WORDS = {ExitCode.PASS: "ok", ExitCode.INCOMPLETE: "NOT LOOKED AT", ExitCode.INTEGRITY: "REFUSED"}


def tell_layers(found: Sequence[PlaceLayers]) -> ExitCode:
    """Say of each layer, place by place, whether it is let in; gives the exit code."""
    screen = Screen(local=is_local())
    for line in _found(found):
        screen.say(line)
    code = exit_code(found)
    wrong = sum(layer.code is not ExitCode.PASS for place in found for layer in place.layers)
    screen.say(f"{'Every layer is let in' if not wrong else f'{wrong} not let in, or not looked at'}. exit {code:d}")
    return code


def _found(found: Sequence[PlaceLayers]) -> Iterator[str]:
    for place in found:
        yield f"account {place.aws.account}, {place.aws.region}, as {place.aws.caller}"
        yield from (f"  {'may sign' if number == 0 else '':8}  {arn}" for number, arn in enumerate(place.publishers))
        for layer in place.layers:
            yield f"  {layer.text}  ({', '.join(layer.functions)})"
            yield f"    {_WORDS[layer.code]}: {layer.sentence}"
            if layer.remedy:
                yield f"    {layer.remedy}"
