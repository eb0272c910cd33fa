"""`rnn serve`."""

import click

from rnn_cli.cli.options import model_option
from rnn_cli.progress import Notes


@click.command()
@model_option
@click.option("--port", type=click.IntRange(1, 65535), default=8000, metavar="N", help="The port  [default: 8000]")
def serve(model: str | None, port: int) -> None:
    """Answer predictions over HTTP, to this machine alone."""
    import uvicorn

    from rnn_cli.api import open_model
    from rnn_cli.serving.app import create_app

    predictor = open_model(model, Notes().note)
    click.echo(f"http://127.0.0.1:{port}", err=True)
    uvicorn.run(create_app(predictor), host="127.0.0.1", port=port, timeout_keep_alive=75, access_log=False)
