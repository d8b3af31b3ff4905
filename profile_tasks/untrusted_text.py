"""Texts that others wrote (models, data sets, names, files), made harmless to show.

Whatever a text holds, it must show as text. Templates escape markup; what escaping cannot do is
here: characters that HTML, UTF-8 or XML do not allow or a terminal would obey, that turn the text
around them, that Markdown or a spreadsheet takes for its own.
"""

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INVISIBLE = re.compile(
    "[\x80-\x9f"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that reorder the text beside them
    "\u2028\u2029\ufdd0-\ufdef\ufffe\uffff"
    "\ud800-\udfff]"
)
_HALF = re.compile("[\ud800-\udfff]")
_SYMBOL_FOR_DELETE = 0x2421
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def without_halves(text: str) -> str:
    r"""A text that UTF-8 can hold: half a surrogate pair, which JSON may escape, is replaced.

    >>> without_halves("so \ud83d")
    'so �'
    """
    return _HALF.sub("�", text)


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


def shown(text: object) -> str:
    r"""A text as it can be shown: characters that cannot, or must not act, are named instead.

    >>> shown("a\x00b"), shown("\u202egnp.exe"), shown("half a pair: \ud83d")
    ('a␀b', '⟨U+202E⟩gnp.exe', 'half a pair: ⟨U+D83D⟩')
    """
    named = _CONTROL.sub(_control_picture, str(text))
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", named)


def cut(text: str, most: int) -> tuple[str, int]:
    """The beginning of a text, and how many characters the whole of it has.

    >>> cut("abcdef", 4), cut("abc", 4)
    (('abcd', 6), ('abc', 3))
    """
    return text[:most], len(text)


def file_name(text: str) -> str:
    """A text as part of a file name.

    >>> file_name("openai/gpt-4o: ../../etc")
    'openai-gpt-4o-etc'
    """
    return re.sub(r"([^A-Za-z0-9._]|\.{2,})+", "-", text).strip("-.")[:80]


def _control_picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(_SYMBOL_FOR_DELETE if code == 0x7F else 0x2400 + code)
