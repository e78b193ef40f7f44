"""Whatever a bucket was set to: mending it once is enough, and nothing of what it had is lost or loosened."""

from functools import partial
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from shipsafe.adapters.aws.bucket_settings import NAMES, BucketSettings
from shipsafe.adapters.aws.session import Aws
from shipsafe.signing.setup.buckets import bucket_checks
from shipsafe.signing.setup.look import BucketLook
from shipsafe.signing.setup.wanted import TLS_SID, bucket_settings

AWS = Aws(session=None, account="123456789012", region="eu-west-1", partition="aws", caller="", local=True)
BUCKET, KEYS = "orders", (None, "alias/one", "alias/two")
WANTED = bucket_settings(BUCKET, partition="aws", prefixes=["", "a/"], kms_key=None)
FLAGS = tuple(WANTED["public access"])

encryptions = st.builds(
    lambda kind, key, more: {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": kind, **({"KMSMasterKeyID": key} if key else {})},
        **more,
    },
    st.sampled_from(["AES256", "aws:kms"]),
    st.sampled_from(KEYS),
    st.sampled_from([{}, {"BucketKeyEnabled": True}, {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}]),
)
statements = st.one_of(
    st.just(WANTED["policy"]["Statement"][0]),
    st.builds(
        lambda sid, effect, action, resource: {"Sid": sid, "Effect": effect, "Principal": "*", "Action": action, "Resource": resource},
        st.sampled_from(["A", "B", TLS_SID]),
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["s3:GetObject", "s3:*", ["s3:*"]]),
        st.sampled_from(["*", f"arn:aws:s3:::{BUCKET}/*"]),
    ),
)
policies = st.builds(lambda many: {"Version": "2012-10-17", "Statement": many}, st.one_of(st.lists(statements, max_size=4), statements))
rules = st.one_of(
    st.sampled_from(WANTED["life cycle"]),
    st.builds(
        lambda name, prefix, status, does: {"ID": name, "Filter": {"Prefix": prefix}, "Status": status, **does},
        st.sampled_from(["theirs", "shipsafe-unsigned", "logs"]),
        st.sampled_from(["", "unsigned/", "signed/", "a/", "logs/"]),
        st.sampled_from(["Enabled", "Disabled"]),
        st.sampled_from([{"Expiration": {"Days": 1}}, {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]),
    ),
)
settings = st.fixed_dictionaries(
    {
        "versioning": st.sampled_from([None, "Enabled", "Suspended"]),
        "encryption": st.none() | encryptions,
        "public access": st.none() | st.fixed_dictionaries(dict.fromkeys(FLAGS, st.booleans())),
        "ownership": st.sampled_from([None, "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]),
        "policy": st.none() | policies,
        "life cycle": st.none() | st.lists(rules, min_size=1, max_size=4, unique_by=lambda rule: rule["ID"]),
    }
)


def mended(values: dict[str, Any], kms_key: str | None, crowded: frozenset[str]) -> dict[str, Any]:
    """What the bucket is set to after every change that bootstrap would make."""
    after = dict(values)
    for check in checks(values, kms_key, crowded):
        for mend in check.mends:
            assert isinstance(mend.act, partial)
            _, bucket, name, value = mend.act.args
            assert bucket == BUCKET
            after[name] = value
    return after


def checks(values: dict[str, Any], kms_key: str | None, crowded: frozenset[str]) -> list[Any]:
    look = BucketLook(
        targets=("prod",),
        aws=AWS,
        name=BUCKET,
        prefixes=("", "a/"),
        kms_key=kms_key,
        region=AWS.region,
        settings=BucketSettings(values=values, refused={}),
        crowded=crowded,
    )
    return list(bucket_checks(look))


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


TAKEN = {"ID": "shipsafe-unsigned", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 1}}
BARE: dict[str, Any] = dict.fromkeys(NAMES)


@given(settings, st.sampled_from(KEYS), st.frozensets(st.sampled_from(["", "a/"])))
@example({**BARE, "life cycle": [TAKEN]}, None, frozenset())
def test_mending_once_is_enough_and_loses_nothing(values: dict[str, Any], kms_key: str | None, crowded: frozenset[str]) -> None:
    assert set(values) == set(NAMES)
    after = mended(values, kms_key, crowded)
    assert not [mend for check in checks(after, kms_key, crowded) for mend in check.mends]
    assert after["versioning"] == "Enabled"
    assert all(after["public access"].values())
    assert values["ownership"] in (None, after["ownership"])
    before = many((values["policy"] or {}).get("Statement", []))
    assert all(one in after["policy"]["Statement"] for one in before if one["Sid"] != TLS_SID)
    assert all(rule in after["life cycle"] for rule in values["life cycle"] or [])
    names = [rule["ID"] for rule in after["life cycle"] or []]
    assert len(names) == len(set(names))  # S3 refuses two of one name
    if values["encryption"]:
        was, now = values["encryption"], after["encryption"]
        assert {name: one for name, one in was.items() if name == "BlockedEncryptionTypes"}.items() <= now.items()
        assert was["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID") in (
            None,
            now["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID"),
        )


@given(settings, st.frozensets(st.sampled_from(["", "a/"]), min_size=1))
def test_no_rule_is_added_that_would_remove_what_lies_there(values: dict[str, Any], crowded: frozenset[str]) -> None:
    added = [rule for rule in mended(values, None, crowded)["life cycle"] or [] if rule not in (values["life cycle"] or [])]
    assert not [rule for rule in added if "Expiration" in rule and rule["Filter"]["Prefix"].removesuffix("unsigned/") in crowded]
