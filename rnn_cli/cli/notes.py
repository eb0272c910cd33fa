"""What a run says on stderr, a line each. Knows no bars."""

import click

from rnn_cli.text.plain import one_line


class Notes:
    """A plain line for what is worth knowing; nothing moves, so a log file can keep it."""

    def say(self, line: str, style: str = "") -> None:
        """Print a line."""
        click.echo(line, err=True)

    def note(self, text: str) -> None:
        """Print it."""
        self.say(one_line(text))

    def warn(self, text: str) -> None:
        """Print it, marked."""
        self.say(f"Warning: {one_line(text)}", "yellow")
