"""How long a registry is asked is the user's to say; nothing else of uv's environment reaches it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shipsafe.adapters.process import run
from shipsafe.adapters.uv import uv
from tests.loopback import listening


@pytest.mark.parametrize("again", [0, 2])
def test_a_registry_is_asked_again_as_often_as_uv_http_retries_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: int) -> None:
    asked: list[str] = []

    def busy(_method: str, path: str, _headers: Mapping[str, str], _body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        asked.append(path)
        return 503, {}, b""

    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", str(again))
    (tmp_path / "wanted.txt").write_text("anything\n")
    with listening(busy) as url:
        monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/not-asked")
        done = uv(["pip", "compile", "wanted.txt", "--default-index", f"{url}/simple"], cwd=tmp_path, offline=False, run=run)
    assert done.returncode != 0
    assert asked == ["/simple/anything/"] * (1 + again)
