"""Laws of indexes: a claim holds however a name is written, and a secret is in nothing that is shown."""

from dataclasses import replace
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from shipsafe.model.policy import NamedIndex, Policy
from shipsafe.packing.indexes import Indexes, is_own, open_indexes

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,6}([-_.][A-Za-z0-9]{1,6}){0,3}", fullmatch=True)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F, exclude_characters="$"), min_size=4, max_size=20)
HOME = "https://packages.example.com/simple"
PLAIN = Policy(path=None, digest="")


@given(name=NAMES, other=NAMES)
def test_a_name_is_claimed_however_it_is_written(name: str, other: str) -> None:
    policy = replace(PLAIN, named_indexes=(NamedIndex(name="acme", url=HOME, packages=(name,)),))
    claimed = policy.claimant(canonicalize_name(other)) is not None
    assert claimed is (canonicalize_name(name) == canonicalize_name(other))
    assert is_own("https://pypi.org/simple", canonicalize_name(other), policy) is not claimed
    assert is_own(HOME + "/", canonicalize_name(other), policy)


@given(secret=SECRETS, around=st.text(max_size=30))
@example(secret="--de", around="")  # of `--default-index`
def test_a_secret_is_in_nothing_that_is_shown(secret: str, around: str) -> None:
    """What is shown is the same whatever the secret is; one that happens to be a word of ours may stand there."""
    indexes = _opened(secret)
    assert indexes.environment()["UV_INDEX_ACME_PASSWORD"] == secret
    assert _shown(indexes) == _shown(_opened("another one"))
    for written in (secret, quote(secret, safe="")):
        scrubbed = indexes.scrub(f"{around}\n{written}\n{around}")
        assert f"\n{written}\n" not in scrubbed


def _opened(secret: str) -> Indexes:
    url = HOME.replace("://", "://ci:${UV_INDEX_ACME_TOKEN}@")
    policy = replace(PLAIN, named_indexes=(NamedIndex(name="acme", url=url, packages=("acme-*",)),))
    return open_indexes(policy, offline=False, environ={"UV_INDEX_ACME_TOKEN": secret})


def _shown(indexes: Indexes) -> list[str]:
    return [repr(indexes), *indexes.flags(), *indexes.only(HOME), indexes.how_to_sign_in(HOME)]
