"""Nobody here has a token for GitHub or is a job of its, unless a test says so: with one, `init` asks GitHub."""

import pytest


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GITHUB_API_URL", "GITHUB_REPOSITORY_ID", "GITHUB_REPOSITORY_OWNER_ID"):
        monkeypatch.delenv(name, raising=False)
