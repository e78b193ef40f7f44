"""Who may knock: the programs of this machine, and no page in a browser that somebody else wrote.

A page on the internet can send requests to 127.0.0.1, and by a name of its own that it lets point there (DNS rebinding) read the
answers: the code that was uploaded here, and all that was set up. A browser says where a request comes from; a rebound name is one that
has a dot and is nobody's but the attacker's.

Source: Fetch, "`Origin` header"; Fetch Metadata, "`Sec-Fetch-Site`"; RFC 6761 (`localhost`); ICANN resolution 2024.07.29.06 (`internal`).
"""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

_PORT = re.compile(r":\d+\Z")
_OURS = (".internal", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")


def refused(environ: dict[str, Any]) -> str:
    """Why a request is not answered, or "". `environ` is that of WSGI."""
    origin, site = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE", "")
    if origin is not None and not _is_here(_host_of(origin), alone=True):
        return "a page in a browser that does not come from this machine"
    if site == "cross-site":
        return "a page in a browser of another site"
    if not _is_here(_PORT.sub("", environ.get("HTTP_HOST", "localhost"))):
        return "a name that may lead here and be somebody else's; use 127.0.0.1 or localhost"
    return ""


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:  # `http://[`
        return ""


def _is_here(host: str, *, alone: bool = False) -> bool:
    """Whether a name leads to this machine or to none, whoever made it; `alone`: only to this machine."""
    host = host.strip("[]").lower().rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost") or (not alone and ("." not in host or host.endswith(_OURS)))
    return address.is_loopback or not alone
