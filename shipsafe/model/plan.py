"""What a build would do, and how several machines share it.

A weight says how much work something is, in the work that one distribution makes: the same on every machine, whatever is cached there.
"""

from dataclasses import dataclass

from shipsafe.model.project import Subject

_FUNCTION = 10  # units for staging, asking and packing the least function; a distribution is one, and so are these:
_FILES = 20  # files of code
_BYTES = 1024 * 1024  # bytes of code


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What building one function or layer takes.

    Attributes:
        inputs: template, lock files and code folder, relative to the project root.
        files, size: of its own code; `distributions` how many are asked for.
        dependencies: equal for subjects that get equal dependencies; "" for none.
        layers: the layers of this project that it uses, which every machine that builds it looks at, too.
        cached: ids of gates that need not be asked, and `archive` where it lies packed in the output folder.
        idle: no gate answers anything about it: an image, or a layer that another tool builds.
        problem: why nobody can say more, or "".
    """

    subject: Subject
    inputs: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    distributions: int = 0
    dependencies: str = ""
    layers: tuple[str, ...] = ()
    cached: tuple[str, ...] = ()
    idle: bool = False
    problem: str = ""

    @property
    def own(self) -> int:
        """The weight of what is done for it alone."""
        return 0 if self.idle else _FUNCTION + self.files // _FILES + self.size // _BYTES

    @property
    def weight(self) -> int:
        """The weight of building it alone."""
        return self.own + self.distributions


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One machine's share: `function:ID` and `layer:ID` in the order of the project.

    Its machine also looks at the layers that these functions use; `weight` counts them, and each dependency set once.
    """

    number: int
    of: int
    subjects: tuple[str, ...]
    weight: int
