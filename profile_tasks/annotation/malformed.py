"""What is wrong with a file that does not have the form that it should have."""

from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, with its place in the file.

    >>> from pydantic import TypeAdapter
    >>> try:
    ...     TypeAdapter(list[bool]).validate_python([True, "x"], strict=True)
    ... except ValidationError as error:
    ...     print(first_problem(error))
    1: Input should be a valid boolean
    """
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the file"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"
