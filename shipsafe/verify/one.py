"""The chain of one zip, from its bytes to the signature of AWS inside it: link by link, each looked at whatever became of the others."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from shipsafe.adapters.files import disk_errors
from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.evidence.recorded import recorded
from shipsafe.model.attestation import Resource
from shipsafe.model.chain import Chain, Hold, Link
from shipsafe.model.tree import Distribution
from shipsafe.packing.manifest import Told
from shipsafe.verify import links
from shipsafe.verify.aws_signature import Inside, record_link, same_contents_link, signature_link
from shipsafe.verify.files import open_regular
from shipsafe.verify.piece import Piece, contents_link, evidence_of, zip_link
from shipsafe.verify.proof import prove
from shipsafe.verify.provenance import About, provenance_link
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.sbom import Listed, sbom_link
from shipsafe.verify.told import subject_of, told_of
from shipsafe.verify.verdict import Said, verdict_link
from shipsafe.verify.zip_contents import Bytes, Contents, SignatureError, contents_of, digests_of

_DARK = "Not looked at: the zip cannot be looked into."
_UNBELIEVED = "Not compared: the signature inside the zip cannot be believed."


def chain_of(piece: Piece, request: VerifyRequest) -> Chain:
    """Verify one zip. Raises nothing: what is wrong is a link.

    Args:
        piece: the zip, and its evidence.
        request: what it is held against.
    """
    with ExitStack() as stack:
        try:
            with disk_errors(Path("the folder for temporary files")):
                scratch = Path(stack.enter_context(TemporaryDirectory(prefix="shipsafe-verify-", ignore_cleanup_errors=True)))
            file = stack.enter_context(open_regular(piece.path, what="zip", shown=piece.shown))
            found = digests_of(file, shown=piece.shown)
        except ShipsafeError as error:
            rest = (links.not_asked(name, "Not looked at: the zip cannot be read.") for name in links.ORDER if name != links.ZIP)
            return Chain(subject=piece.subject, links=(links.of_error(links.ZIP, error), *rest))
        refused = None
        try:
            contents = contents_of(file, found, scratch, shown=piece.shown)
            looked = contents_link(piece, contents)
        except SignatureError as error:
            contents, looked, refused = None, links.not_asked(links.CONTENTS, _UNBELIEVED), links.of_error(links.AWS_SIGNATURE, error)
        except ShipsafeError as error:
            contents, looked = None, links.of_error(links.CONTENTS, error)
        return _Case(piece, request, file, found, contents, scratch).chain(looked, refused)


class _Case:
    """What was seen of one zip, and what is vouched for about it."""

    def __init__(
        self, piece: Piece, request: VerifyRequest, file: BinaryIO, found: Bytes, contents: Contents | None, scratch: Path
    ) -> None:  # fmt: skip
        self._piece, self._request, self._file, self._found, self._contents, self._scratch = piece, request, file, found, contents, scratch
        signature = contents.zipped.signature if contents else None
        self._signed = signature is not None
        self._evidence = evidence_of(piece)
        at = signature.signed_at.date() if signature else request.today  # the day on which keys must have been valid
        self._shown = self._evidence.shown
        self._proof = prove(self._evidence.envelopes, found.sha256, request.policy.attest, at, self._shown)

    def chain(self, looked: Link, refused: Link | None) -> Chain:
        """All links; `looked` is that of the contents, `refused` that of a signature that cannot be believed."""
        piece, proof, found = self._piece, self._proof, self._found
        about = About(release=piece.release, entry=piece.entry, contents=self._contents, shown=self._shown)
        sbom, distributions = self._sbom()
        made = (
            zip_link(piece, found, proof, signed=self._signed),
            looked,
            self._evidence.link or proof.link(links.BUNDLE),
            sbom,
            provenance_link(proof, about),
            proof.link(links.GATES),
            self._verdict(distributions),
            record_link(proof, piece.signatures, signed=self._signed, release=piece.stated is not None, shown=self._shown),
            *self._of_aws(refused),
        )
        return Chain(
            subject=piece.subject,
            links=tuple(one for one in made if one is not None),
            digests=(Resource(name=piece.shown, digests={"sha256": found.sha256, "sha512": found.sha512}),),
            attestations=proof.attested,
        )

    def _subject(self) -> str:
        return subject_of(self._proof, self._piece.stated.subject if self._piece.stated else "")

    def _told(self) -> Told:
        """What it runs on, as the builder states; else as the manifest says.

        Raises:
            IntegrityError: the builder states it in another shape.
        """
        if self._proof.provenance:
            return told_of(self._proof.provenance.statement)
        return self._piece.stated.told if self._piece.stated else Told()

    def _sbom(self) -> tuple[Link | None, tuple[Distribution, ...] | None]:
        proof, link = self._proof, self._proof.link(links.SBOM)
        if proof.sbom is None or link is None or link.hold is not Hold.HELD:
            return link, None
        if self._contents is None:
            return links.not_asked(links.SBOM, _DARK), None
        try:
            told = self._told()
        except IntegrityError as error:
            return links.of_error(links.SBOM, error), None
        listed = Listed(
            sbom=proof.sbom,
            link=link,
            stated=self._piece.stated,
            contents=self._contents,
            scratch=self._scratch,
            unsigned_sha256=proof.unsigned_sha256,
            subject=self._subject(),
            told=told,
            shown=self._shown,
        )
        return sbom_link(listed, self._request.policy)

    def _verdict(self, distributions: tuple[Distribution, ...] | None) -> Link:
        gates = self._proof.judged
        if gates is None:
            return links.not_asked(links.VERDICT, "Not judged: nobody whose word counts states what the gates said.")
        digest = self._contents.content_digest if self._contents else ""
        said = Said(gates=gates, subject=self._subject(), content_digest=digest, distributions=distributions,
                    shown=self._shown, proof=self._proof)  # fmt: skip
        return verdict_link(said, self._request)

    def _of_aws(self, refused: Link | None) -> Iterator[Link]:
        if self._contents is None:
            yield refused or links.not_asked(links.AWS_SIGNATURE, _DARK)
            yield links.not_asked(links.SIGNED_CONTENTS, _UNBELIEVED if refused else _DARK)
            return
        vouched = self._proof.signing
        record = recorded(vouched.statement, shown=self._shown) if vouched else None
        inside = Inside(contents=self._contents, record=record, vouched=bool(vouched and vouched.by), shown=self._piece.shown)
        yield signature_link(inside, self._request)
        yield same_contents_link(inside, self._piece.stated, self._proof.unsigned_sha256, self._file)
