"""`rnn completion`."""

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
Example:
  rnn completion bash

\b
To install it, add a line to your shell's own file, and open a new shell:
  bash  echo 'eval "$(rnn completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(rnn completion zsh)"' >> ~/.zshrc
  fish  rnn completion fish > ~/.config/fish/completions/rnn.fish
"""
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what makes Tab complete rnn's command lines.

    It completes commands and options, recipes and configs, keys of --set and their values, runs, built-in sets and
    files. bash must be 4.4 or newer (macOS brings an older one); zsh needs compinit.
    """
    from rnn_cli.cli.completers import script

    click.echo(script(shell, click.get_current_context().find_root().command))
