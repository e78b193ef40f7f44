"""The chain from what was audited to what runs, walked link by link: offline over files, or live over what AWS says.

    from shipsafe.verify import open_request, verify_release, verify_zip, verify_functions

    with open_request(policy=Path("shipsafe.toml")) as request:
        found = verify_release(Path("dist"), request)
    found.exit_code, found.first_broken

What these names stand for is loaded when one is asked for. Results are `shipsafe.model.chain.Verification`. docs/guides/verify-library.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipsafe.verify.live import verify_functions
    from shipsafe.verify.opened import open_request
    from shipsafe.verify.release import verify_release, verify_zip, verify_zips
    from shipsafe.verify.request import VerifyRequest

__all__ = ["VerifyRequest", "open_request", "verify_functions", "verify_release", "verify_zip", "verify_zips"]

_PLACES = {
    "VerifyRequest": "request",
    "open_request": "opened",
    "verify_functions": "live",
    "verify_release": "release",
    "verify_zip": "release",
    "verify_zips": "release",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
