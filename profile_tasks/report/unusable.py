"""Input that a report cannot be made from."""


class UnusableInput(ValueError):  # noqa: N818 - it names the input, as the message does
    """A file is missing, of the wrong kind, or damaged; the message is one line for the user."""

    def __init__(self, file: object, problem: object) -> None:
        first_line = str(problem).strip().partition("\n")[0]
        super().__init__(f"{file}: {first_line}")
