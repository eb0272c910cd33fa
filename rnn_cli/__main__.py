"""Where the command `rnn` and `python -m rnn_cli` begin. Imports nothing before it is sure that it can be imported."""

import sys
from typing import NoReturn

_WINDOWS = "rnn does not run on Windows itself, only in WSL, its Linux; run wsl --install, then install rnn there"


def main() -> NoReturn:
    """Run the command line and end with its exit code; on Windows, refuse to."""
    if sys.platform.startswith("win"):
        sys.stderr.write(f"Error: {_WINDOWS}\n")
        sys.exit(2)
    try:
        from rnn_cli.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
