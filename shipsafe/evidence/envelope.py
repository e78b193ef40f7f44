"""A statement in a DSSE envelope, written and read as one line of a bundle (`NAME.intoto.jsonl`).

    line = written(statement, signers)           # bytes, without the line feed; without a signer it is unsigned
    for envelope in read_bundle(data, shown="dist/Orders.intoto.jsonl"):
        statement = statement_of(envelope, shown=...)

Equal statements and equal keys give equal bytes, whatever the order of the keys: all is sorted, and nothing is left to chance (ECDSA is
deterministic, RFC 6979; KMS and keyless signers are not). Written with securesystemslib. Whose signature counts says `trust.py`.

Reading is strict, so that what we read is what any other reader reads: UTF-8, no key twice, no NaN, base64 in its one spelling.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from shipsafe.adapters.json_file import each_key_once, holds_more
from shipsafe.errors import IntegrityError
from shipsafe.model.attestation import PAYLOAD_TYPE, STATEMENT, Envelope, EnvelopeSignature, Resource, Statement

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

LARGEST = 128 * 1024 * 1024  # bytes of a bundle: the SBOM is in it, in base64
_MOST = 2_000_000  # values in a statement: an SBOM of ours has twelve a file, and a build takes 50,000 files
_MOST_SIGNATURES = 16
MOST_ENVELOPES = 1000
_MOST_LINES = 2 * MOST_ENVELOPES  # empty ones are passed over
_MOST_OUTSIDE = 200_000  # values in an envelope beside its payload: what Sigstore adds to a signature has some hundred
_MOST_SUBJECTS = 1000
_LONGEST_SIGNATURE = 1024  # bytes
_LONGEST_KEYID = 1024  # characters
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_HEAD = b'{"payload":"'
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REMEDY = "Somebody changed it: find out who, and build again."


def written(statement: Statement, signers: Iterable["Signer"]) -> bytes:
    """The envelope of a statement, as one line without its line feed; each signer signs it, and with none it is unsigned.

    Raises:
        ShipsafeError: a signer could not sign.
    """
    return enveloped(payload(statement), signers)


def enveloped(content: bytes, signers: Iterable["Signer"]) -> bytes:
    """The same of a payload that is a statement already.

    Raises:
        ShipsafeError: a signer could not sign.
    """
    signers = tuple(signers)
    signatures: list[Any] = []
    if signers:
        from securesystemslib.dsse import Envelope as Dsse  # noqa: PLC0415 - only whoever signs needs it: it imports boto3

        envelope = Dsse(content, PAYLOAD_TYPE, {})
        for signer in signers:
            envelope.sign(signer)
        signatures = sorted(envelope.to_dict()["signatures"], key=lambda one: str(one["keyid"]))
    kind, signed = (
        json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for one in (PAYLOAD_TYPE, signatures)
    )
    return b'{"payload":"%b","payloadType":%b,"signatures":%b}' % (base64.b64encode(content), kind, signed)  # base64 needs no escapes


def payload(statement: Statement) -> bytes:
    """The statement as JSON; equal statements give equal bytes."""
    document = {
        "_type": STATEMENT,
        "subject": [{"name": one.name, "digest": dict(one.digests)} for one in statement.subjects],
        "predicateType": statement.kind,
        "predicate": statement.predicate,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_bundle(data: bytes, *, shown: str) -> tuple[Envelope, ...]:
    """The envelopes of a bundle, in its order; nothing in them is believed yet.

    Raises:
        IntegrityError: a line is no envelope, or there is none at all.
    """
    if len(data) > LARGEST:
        raise IntegrityError(f"It has more than {LARGEST} bytes, which no bundle has.", remedy=_REMEDY, path=shown)
    ends = data.count(b"\n")  # before they are parted: of a hundred megabytes of empty lines the list alone takes ten times as much
    lines = [line for line in data.split(b"\n") if line.strip()] if ends <= _MOST_LINES else []
    if not lines and ends <= _MOST_LINES:
        raise IntegrityError("It holds no envelope, so that it proves nothing.", remedy=_REMEDY, path=shown)
    if len(lines) > MOST_ENVELOPES or ends > _MOST_LINES:
        raise IntegrityError(f"It holds more than {MOST_ENVELOPES} envelopes.", remedy=_REMEDY, path=shown)
    return tuple(read_envelope(line, shown=shown, line=number) for number, line in enumerate(lines, 1))


def read_envelope(data: bytes, *, shown: str, line: int | None = None) -> Envelope:
    """One envelope.

    Raises:
        IntegrityError: it is none.
    """

    def wrong(what: str) -> IntegrityError:
        return IntegrityError(f"It is no DSSE envelope: {what}.", remedy=_REMEDY, path=shown, line=line)

    text, rest = _apart(data)
    document = _json(rest, wrong, most=_MOST_OUTSIDE)
    if not isinstance(document, dict) or not {"payload", "payloadType", "signatures"} <= document.keys():
        raise wrong("it has no payload, payloadType or signatures")
    signatures = document["signatures"]
    if not isinstance(document["payloadType"], str) or not isinstance(signatures, list):
        raise wrong("its payloadType or signatures are of another kind")
    if len(signatures) > _MOST_SIGNATURES:
        raise wrong(f"it has {len(signatures)} signatures, and {_MOST_SIGNATURES} are the most")
    try:
        return Envelope(
            payload=_decoded(document["payload"] if text is None else text),
            payload_type=document["payloadType"],
            signatures=tuple(_signatures(signatures)),
            line=data,
            sha256=hashlib.sha256(data).hexdigest(),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise wrong("its payload or a signature is not base64, or not of the shape of one") from error


def _apart(data: bytes) -> tuple[memoryview | None, bytes]:
    """The payload's base64, and the line without it, where the line is as `written` writes it; else None, and the line.

    Of a megabyte that cannot hold anything but base64 the parsing of JSON takes longer than all else together.
    """
    end = data.find(b'"', len(_HEAD)) if data.startswith(_HEAD) else -1
    if end < 0 or data.find(b"\\", len(_HEAD), end) >= 0:
        return None, data
    return memoryview(data)[len(_HEAD) : end], _HEAD + data[end:]  # not copied: an SBOM may have a hundred megabytes


def _signatures(entries: list[Any]) -> Iterator[EnvelopeSignature]:
    for entry in entries:
        keyid, sig = entry.get("keyid") or "", _decoded(entry["sig"])
        if not isinstance(keyid, str) or len(keyid) > _LONGEST_KEYID or not 0 < len(sig) <= _LONGEST_SIGNATURE:
            message = "a signature or a key id of another size or kind"
            raise ValueError(message)
        more = {key: value for key, value in entry.items() if key not in ("keyid", "sig")}
        yield EnvelopeSignature(keyid=keyid, sig=sig, more=more)


def _decoded(text: str | memoryview) -> bytes:
    """Base64 as everybody writes it. Some decoders overlook odd characters and bits at the end: two texts would be one envelope."""
    data = binascii.a2b_base64(text, strict_mode=True)
    last = text[-4:] if isinstance(text, str) else text[-4:].tobytes().decode("ascii")
    # Beyond the last group of four nothing can be spelt in two ways, once every character is one of base64's.
    if len(text) % 4 or base64.b64encode(data[-(len(data) % 3 or 3) :]).decode() != last:
        message = "base64 in another spelling"
        raise ValueError(message)
    return data


def statement_of(envelope: Envelope, *, shown: str) -> Statement:
    """What an envelope says. Believe it only after `trust.vouched`.

    Args:
        envelope: as it was read.
        shown: where it comes from, for people.

    Raises:
        IntegrityError: it is no in-toto statement, or a subject has no SHA-256.
    """

    def wrong(what: str) -> IntegrityError:
        return IntegrityError(f"It is no in-toto statement: {what}.", remedy=_REMEDY, path=shown)

    if envelope.payload_type != PAYLOAD_TYPE:
        raise wrong(f"its payload type is {envelope.payload_type[:80]!r} and not {PAYLOAD_TYPE}")
    document = _json(envelope.payload, wrong)
    if not isinstance(document, dict) or document.get("_type") != STATEMENT:
        raise wrong(f"its _type is not {STATEMENT}")
    subjects, kind, predicate = document.get("subject"), document.get("predicateType"), document.get("predicate")
    if not isinstance(subjects, list) or not subjects or not isinstance(kind, str) or not isinstance(predicate, dict):
        raise wrong("it has no subject, predicateType or predicate")
    if len(subjects) > _MOST_SUBJECTS:
        raise wrong(f"it has more than {_MOST_SUBJECTS} subjects")
    return Statement(subjects=tuple(_resource(one, wrong) for one in subjects), kind=kind, predicate=predicate)


def values_in(envelope: Envelope) -> int:
    """How many values the payload may hold, before it is parsed: what it takes in memory is at most some hundred bytes for each."""
    return sum(map(envelope.payload.count, (b",", b"[", b"{")))


def _resource(entry: Any, wrong: Any) -> Resource:
    digests = entry.get("digest") if isinstance(entry, dict) else None
    if not isinstance(digests, Mapping) or not all(isinstance(value, str) for value in digests.values()):
        raise wrong("a subject has no digest")
    if not _SHA256.fullmatch(digests.get("sha256", "")):
        raise wrong(f"a subject has no SHA-256 ({', '.join(sorted(map(str, digests)))[:80]} is not enough)")
    return Resource(name=str(entry.get("name", "")), digests=dict(digests))


def _json(data: bytes, wrong: Any, *, most: int = _MOST) -> Any:
    if holds_more(data, most):
        raise wrong(f"it holds more than {most:,} values")
    try:
        document = json.loads(data.decode(), object_pairs_hook=each_key_once, parse_constant=_no_number)
        if _SURROGATE.search(data):  # half a character, which no UTF-8 can hold: nobody could write down what we read
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise wrong("it is not JSON that has one meaning") from error
    return document


def _no_number(name: str) -> None:
    message = f"{name} is no number of JSON"
    raise ValueError(message)
