"""`[indexes]` says where packages come from, holds no secret, and is not loosened by whoever extends it."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from shipsafe.model.policy import FindLinks, NamedIndex, Policy
from shipsafe.policy import load

NAMED = '[[indexes.named]]\nname = "acme"\nurl = "https://packages.example.com/simple"\npackages = ["acme-*", "Acme_Tools"]\n'
COOLDOWN = '[gates.dependencies]\ncooldown = "{}"\n'


def _never(url: str) -> bytes:
    pytest.fail(f"{url} was fetched")


def read(folder: Path, text: str) -> Policy:
    """Load a policy, which is written into the root of a repository."""
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "shipsafe.toml").write_text(text)
    return load(folder, offline=True, cache=folder / "cache", fetch=_never, today=date(2026, 11, 21))


def extending(folder: Path, base: str, text: str) -> Policy:
    """Load a policy that extends another one."""
    (folder / "base.toml").write_text(base)
    digest = hashlib.sha256(base.encode()).hexdigest()
    return read(folder, f'extends = {{ path = "base.toml", sha256 = "{digest}" }}\n{text}')


def test_indexes_become_nouns(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    head = '[indexes]\ndefault = "https://mirror.example.com/simple"\nfind-links = ["wheels", "https://wheels.example.com/"]\n'
    policy = read(tmp_path, f'{head}mirrors-pypi = ["https://mirror.example.com/simple"]\n{NAMED}')
    named = NamedIndex(name="acme", url="https://packages.example.com/simple", packages=("acme-*", "Acme_Tools"))
    assert policy.named_indexes == (named,)
    assert policy.claimant("acme-billing") == policy.claimant("acme-tools") == named
    assert policy.claimant("acme") is None
    assert policy.pypi_mirrors == ("https://mirror.example.com/simple",)
    assert policy.find_links == (
        FindLinks(shown="wheels", place=str((tmp_path / "wheels").resolve())),
        FindLinks(shown="https://wheels.example.com/", place="https://wheels.example.com/"),
    )


def test_a_url_may_say_where_credentials_are(tmp_path: Path) -> None:
    url = "https://aws:${UV_INDEX_ACME_TOKEN}@packages.example.com/simple"
    assert read(tmp_path, f'[indexes]\nextra = ["{url}"]\n').extra_indexes == (url,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[indexes]\nextra = ["https://me:pw@packages.example.com/simple"]\n', "An index URL holds credentials."),
        ('[indexes]\nmirrors-pypi = ["https://me:pw@packages.example.com/simple"]\n', "An index URL holds credentials."),
        (NAMED.replace("://", "://token@"), "An index URL holds credentials."),
        ('[indexes]\ndefault = "https://${AWS_SECRET_ACCESS_KEY}@evil.example.com/simple"\n',
         "An index URL names the variable AWS_SECRET_ACCESS_KEY, which was not made for an index."),
        ('[indexes]\ndefault = "https://evil.example.com/${UV_INDEX_X}/simple"\n', "has a variable where no credentials stand"),
        ('[indexes]\ndefault = "http://packages.example.com/simple"\n', "http://packages.example.com/simple is not an https URL."),
        ('[indexes]\nextra = ["file:///etc"]\n', "file:///etc is not an https URL."),
        ('[indexes]\ndefault = "https://[/simple"\n', "https://[/simple is not an https URL."),
        ('[indexes]\nfind-links = ["../elsewhere"]\n', "../elsewhere lies outside the repository."),
        ('[indexes]\nfind-links = ["http://wheels.example.com/"]\n', "http://wheels.example.com/ is not an https page."),
        (NAMED + NAMED.replace('"acme"', '"ACME"'), "Two indexes are called 'ACME'."),
        (NAMED.replace('"acme"', '"shipsafe-default"'), "'shipsafe-default' cannot be the name of an index."),
        (NAMED.replace('"acme"', '"a=b"'), "'a=b' cannot be the name of an index."),
        ('[[indexes.named]]\nname = "acme"\n', "Entry 1 of `[[indexes.named]]` has no `url`."),
    ],
)  # fmt: skip
def test_what_an_index_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fixed", "base", "text", "refused"),
    [
        ("indexes", NAMED, NAMED.replace("packages.example.com", "evil.example.com"), True),
        ("indexes", NAMED, NAMED, False),
        ("indexes", NAMED, '[indexes]\nextra = ["https://evil.example.com/simple"]\n', True),
        ("indexes.named", NAMED, '[[indexes.named]]\nname = "x"\nurl = "https://evil.example.com/simple"\npackages = ["acme-*"]\n', True),
        ("gates.dependencies", COOLDOWN.format("7d"), COOLDOWN.format("14d"), False),
        ("gates.dependencies", COOLDOWN.format("7d"), COOLDOWN.format("6d"), True),
        ("gates.dependencies", COOLDOWN.format("7d"), COOLDOWN.format("off"), True),
        ("gates.dependencies", "", COOLDOWN.format("1d"), False),
    ],
)
def test_what_is_fixed_may_only_be_tightened(tmp_path: Path, fixed: str, base: str, text: str, *, refused: bool) -> None:
    base = f'fixed = ["{fixed}"]\n{base}'
    if not refused:
        assert extending(tmp_path, base, text).digest
        return
    with pytest.raises(ConfigError, match="fixed"):
        extending(tmp_path, base, text)
