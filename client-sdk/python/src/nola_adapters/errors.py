"""Errors of the package. Errors about files have the kinds of SPEC.md section 11."""

from __future__ import annotations


class NolaError(Exception):
    """Base class of the package's errors."""


class AdapterError(NolaError):
    """A file that must be rejected; `kind` is its kind in SPEC.md section 11."""

    kind = "corrupt"


class CorruptError(AdapterError):
    """The bytes break a rule of the format."""


class TooOldError(AdapterError):
    """The file is of a version before 1.0."""

    kind = "too-old"


class TooNewError(AdapterError):
    """The file needs a newer version of this package."""

    kind = "too-new"


class LimitExceededError(AdapterError):
    """The file exceeds a limit of SPEC.md section 10."""

    kind = "limit-exceeded"


class UnsupportedGeneratorError(AdapterError):
    """The file's generator is unknown to this package."""

    kind = "unsupported-generator"


class DigestMismatchError(AdapterError):
    """The file reconstructs to other bits than its writer had."""

    kind = "digest-mismatch"


class BudgetExceededError(NolaError):
    """A legal file that requires more work than the caller allows."""


class MergeRefusedError(NolaError):
    """A merge that SPEC.md section 7.3 forbids; nothing was written."""


class MergeOverflowError(MergeRefusedError):
    """A finite weight would not stay finite.

    `tensor` is its name in the base model, `element` its number in the flattened tensor.
    """

    def __init__(self, tensor: str, element: int) -> None:
        super().__init__(
            f"element {element} of {tensor} overflows; merge with a smaller weight "
            "or into a wider type"
        )
        self.tensor = tensor
        self.element = element


class RegistryError(NolaError):
    """A registry that does not do what it was asked for.

    `kind` is one of `not-found`, `not-allowed`, `conflict`, `refused`, `unavailable` (it may
    succeed later) and `broken` (the answer contradicts itself); `status` the HTTP status or 0.
    """

    def __init__(self, kind: str, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


class NotAttestedError(NolaError):
    """A file that is not attested as required.

    `reasons` has a sentence for each reason; `remedy`, only in the message, says how to accept it.
    """

    def __init__(self, reasons: list[str], remedy: str | None = None) -> None:
        super().__init__("; ".join(reasons if remedy is None else [*reasons, remedy]))
        self.reasons = reasons
