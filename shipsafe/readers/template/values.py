"""What an expression of a template comes to: text, a list, a mapping, a resource, nothing, or unknown with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Known text.

    Attributes:
        symbolic: it contains a pseudo parameter as `${AWS::Region}`, because its value is known only at deployment.
        secret: it comes from a NoEcho parameter and may be compared, never shown.
    """

    text: str
    symbolic: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list."""

    items: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A mapping."""

    fields: "Mapping[str, Value]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A resource of the project: `name` as the project knows it (`Nested.Shared`), its type, and which attribute is meant."""

    name: str
    type: str
    attribute: str

    @property
    def reason(self) -> str:
        """Why it is not text."""
        return f"{self.attribute} of {self.name} ({self.type}) is known only after deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What cannot be known from the files.

    Attributes:
        reason: a clause that says why, without values: `parameter Version has no value`.
        changeable: why two deployments of the same template may differ here, or "".
        partial: the text around the hole, where there is some: `arn:aws:lambda:eu-west-1:1:layer:X:${Version}`.
    """

    reason: str
    changeable: str = ""
    partial: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """`AWS::NoValue` or null: as if the property had not been written."""


ABSENT: Final = Absent()
WITHHELD: Final = "it comes from a NoEcho parameter, whose value is not used"
Value = Text | Items | Fields | Pointer | Unknown | Absent
