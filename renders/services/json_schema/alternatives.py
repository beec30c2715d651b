"""What to say where a value fits none of several forms: anyOf, oneOf."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from jsonschema import ValidationError

from renders.services.json_schema.values import listed

NONE_FITS = "It fits none of the forms that the schema allows."

Branch = Sequence[ValidationError]


def closest_errors(branches: Sequence[Branch]) -> Iterator[ValidationError]:
    """Yield the errors that help most: those of the form that was meant, where one can be told.

    Forms that are told apart by one prop (``type: "video" | "image"``) are compared by it; forms of
    other types (``string | null``) become one sentence.
    """
    fitting = [branch for branch in branches if not any(map(_tells_apart, branch))]
    if len(fitting) == 1:
        yield from fitting[0]
    elif not fitting and (choice := _choice([next(filter(_tells_apart, branch)) for branch in branches])):
        yield choice
    else:
        yield ValidationError(NONE_FITS)
        yield from min(fitting or branches, key=len)


def _tells_apart(error: ValidationError) -> bool:
    """Return whether the error says that another form was meant: by the value's type, or by the value of a prop."""
    if error.validator == "enum":
        return not error.path or len(cast("list[Any]", error.validator_value)) == 1
    return (error.validator == "type" and not error.path) or (error.validator == "const" and len(error.path) <= 1)


def _choice(errors: Sequence[ValidationError]) -> ValidationError | None:
    """Return one error that offers what each of the errors asks for, if they are about the same value."""
    if len({tuple(error.path) for error in errors}) > 1:
        return None
    wanted = dict.fromkeys(error.message.removeprefix("Send ").removesuffix(".") for error in errors)
    return ValidationError(f"Send {listed(wanted, last=' or')}.", path=errors[0].path)
