"""Foreign text without what is not meant to be seen: control characters, and what turns the direction of writing.

Loads nothing: whatever shows a text, a terminal too, begins here.
"""

UNSEEN = dict.fromkeys(
    [
        *(code for code in range(32) if chr(code) not in "\t\n\r"),
        *range(0x7F, 0xA0),
        *range(0x2028, 0x202F),  # line ends that few expect, and what turns the direction of all that follows
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),  # halves of characters, which no UTF-8 file may hold
        *(0xFEFF, 0xFFFE, 0xFFFF),
    ],
    "\ufffd",
)
"""For `str.translate`: a replacement character for each that neither a page, a chart nor a terminal may get."""


def plain(text: str) -> str:
    """The text with a replacement character for each that is not meant to be seen; lines and tabs stay."""
    return text.translate(UNSEEN)


def one_line(text: str) -> str:
    """The text on one line: white space becomes single spaces, what is not meant to be seen a replacement character."""
    return plain(" ".join(text.split()))


def shortened(text: str, most: int) -> str:
    """The text on one line of at most `most` characters; … stands for what is cut."""
    line = one_line(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
