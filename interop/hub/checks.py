"""Counts what client.py and push.py check."""

from __future__ import annotations

count = 0


def equal(actual: object, expected: object) -> None:
    global count
    count += 1
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")


def raises(kind: type[Exception], reason: str, call, *arguments: object, **options: object) -> None:
    """The client must raise an exception of a kind, and print the registry's reason."""
    global count
    count += 1
    try:
        call(*arguments, **options)
    except kind as error:
        if reason not in str(error):
            raise AssertionError(f"{error} does not say {reason!r}") from error
        return
    raise AssertionError(f"{call.__name__}{arguments} raises no {kind.__name__}")
