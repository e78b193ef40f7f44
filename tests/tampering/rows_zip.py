"""Kinds of tampering with the bytes of a zip: the signed one, and the one that was built."""

from tests.tampering import zips
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words
from tests.tampering.zips import Change

SIGNED = Group("The signed zip")
BUILT = Group("The zip that was built")


def _signed(kind: str, change: Change, done: str, code: int = 5) -> None:
    def act(trial: Trial) -> Words:
        return "verify", trial.save(change(trial.world.signed["Pay"])), "--release", "dist"

    act.__doc__ = done
    SIGNED(kind, code)(act)


def _built(kind: str, change: Change, done: str, *, told: bool = False) -> None:
    def act(trial: Trial) -> Words:
        trial.change_zip(change, told=told)
        return "verify", "dist"

    act.__doc__ = done
    BUILT(kind, 5)(act)


_signed("nothing is changed", lambda archive: archive, "The signed zip, as it lies in the bucket.", 0)
_signed("a byte", zips.byte_changed, "One bit of a file in the zip is another.")
_signed("another body", zips.body_changed, "A file is replaced, with its size and checksum.")
_signed("an added entry", zips.added, "A module is added before the signature.")
_signed("a removed entry", zips.removed, "A module is taken out.")
_signed("a renamed entry", zips.renamed, "A file has another name.")
_signed("re-ordered entries", zips.reordered, "The first two files change places.")
_signed("a duplicated entry", zips.duplicated, "A file stands in it twice, the second time with another body.")
_signed("another mode", zips.mode_changed, "A file may be executed and written by everybody; AWS's signature does not cover that.")
_signed(
    "another compressor",
    zips.recompressed,
    "Names and bodies are the same, stored as they are: AWS's signature holds, the digest does not.",
)
_signed(
    "shifted boundaries", zips.shifted, "The first letter of a file goes to the end of its name, so that the concatenation stays equal."
)
_signed("bytes before the entries", zips.before_entries, "A shell script stands before the first entry.")
_signed("bytes between entries", zips.between_entries, "Bytes stand behind the first entry's data.")
_signed("bytes behind the entries", zips.behind_entries, "Bytes stand between the last entry and the directory.")
_signed("bytes behind the end", zips.behind_the_end, "Bytes follow the end of the archive.")
_signed("a comment", zips.with_comment, "The archive has a comment.")
_signed("two names", zips.two_names, "The central directory and the local header name an entry differently.")
_signed("a newer format", zips.newer_format, "An entry asks for a version of the format that some readers leave out.")
_signed("no signature", zips.without_signature, "AWS's signature is taken out: what is left is the zip that was audited.", 0)


@SIGNED("the signature of another zip", 5)
def _(trial: Trial) -> Words:
    """The entries of Pay stand under AWS's genuine signature of Stock."""
    zipped = zips.with_signature_of(trial.world.signed["Pay"], trial.world.signed["Stock"])
    return "verify", trial.save(zipped), "--release", "dist"


@BUILT("nothing is changed", 0)
def _(_: Trial) -> Words:
    """The release, as it was signed."""
    return "verify", "dist"


_built("a byte", zips.byte_changed, "One bit of a file in the zip is another.")
_built("another body, and the manifest", zips.body_changed, "A file is replaced, and the manifest names the new digests.", told=True)
_built("an added entry, and the manifest", zips.added, "A module is added, and the manifest names the new digests.", told=True)
_built("another mode, and the manifest", zips.mode_changed, "A file has another mode, and the manifest names the new digests.", told=True)
_built(
    "another compressor, and the manifest",
    zips.recompressed,
    "The same files, packed otherwise; the manifest names the new digests.",
    told=True,
)


@BUILT("a missing zip", 5)
def _(trial: Trial) -> Words:
    """The zip is gone, and the store of the output folder with it."""
    (trial.dist / "Pay.zip").unlink()
    trial.empty_store()
    return "verify", "dist"


@BUILT("the zip of another artifact", 5)
def _(trial: Trial) -> Words:
    """Stock.zip lies under the name of Pay.zip."""
    trial.replace("Pay.zip", (trial.dist / "Stock.zip").read_bytes())
    return "verify", "dist"
