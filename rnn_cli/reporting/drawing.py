"""Pages and Markdown from templates; a value never becomes markup. The only file that uses Jinja2.

HTML is protected by Jinja2's autoescape. It has none for Markdown, so there every value goes through `in_markdown`,
also a macro's result; nothing is exempt.
"""

import html
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rnn_cli.text.plain import one_line, plain

_SIGNS = re.compile(r"[\\`*_{}\[\]#|~$@]|(?<=:)/(?=/)|(?<=www)\.|^[-+=]|^\d+[.)](?=\s|$)", re.IGNORECASE)
"""What has a meaning in Markdown, in GitHub's (tables, formulas, bare addresses), or in Jekyll; ^ at a line's start."""


def draw(template: str, **values: object) -> str:
    """Fill in the template of this name. Raises `UndefinedError` where it needs a value that is missing."""
    kind = _MARKDOWN if template.endswith(".md") else _HTML
    return plain(kind.get_template(template).render(values))


def in_markdown(value: object) -> str:
    """A value as words within a line of Markdown that shows it unchanged, without invisible characters."""
    text = html.escape(one_line(str(value)), quote=False)
    return _SIGNS.sub(lambda sign: f"{sign[0][:-1]}\\{sign[0][-1]}", text)


def _environment(**how: Any) -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **how,
    )
    made.filters |= {"grouped": "{:,}".format, "percent": "{:.1%}".format}
    return made


_HTML = _environment(autoescape=True)
_MARKDOWN = _environment(autoescape=False, finalize=in_markdown)
