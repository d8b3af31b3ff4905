"""Texts that others wrote (names of models, data sets, files), made harmless to show."""

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def one_line(text: str) -> str:
    r"""A text of one line; what a terminal would obey, or XML may not hold, is replaced.

    Example:
        >>> one_line("a\nb\x1b[31m")
        'a b�[31m'
    """
    return "".join(c if c.isprintable() else "�" for c in " ".join(text.split()))


def markdown_text(text: str) -> str:
    r"""A text that Markdown shows as it stands, in a table's cell as well.

    Example:
        >>> print(markdown_text("a|b <i>"))
        a\|b \<i\>
    """
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def spreadsheet_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    Example:
        >>> spreadsheet_cell("=1+1"), spreadsheet_cell("gpt")
        ("'=1+1", 'gpt')
    """
    shown = one_line(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
