"""`rnn serve`."""

from collections.abc import Callable
from typing import Any

import click

from rnn_cli.cli.options import Command, labels_option
from rnn_cli.progress import Notes, is_quiet
from rnn_cli.serving.settings import Limits, ServerSettings, check_settings, named_models, read_keys

LIMITS = {
    "body_bytes": "Bytes of a request",
    "score_bytes": "Bytes of a request to /v1/score",
    "texts": "Texts of a request",
    "explained": "Texts of a request with explanations",
    "characters": "Characters of a text",
    "queue": "Requests waiting for a worker",
    "queue_seconds": "Time that a short request may expect to wait",
    "connections": "Open connections of a worker",
    "read_seconds": "Time to send a request, for each MiB",
    "write_seconds": "Time to read an answer",
}
"""The limits, each of which is an option: --max-texts, --read-seconds."""


def limit_option_of(name: str) -> str:
    """The option of a limit."""
    return "--" + (name if name.endswith("_seconds") else f"max_{name}").replace("_", "-")


def _limit_options(command: Command) -> Command:
    for name in reversed(LIMITS):
        default = getattr(Limits, name)
        kind = click.FloatRange(0.001) if isinstance(default, float) else click.IntRange(1)
        about = (
            f"{LIMITS[name]}  [default: {default:,g}]"
            if default < 1e5
            else f"{LIMITS[name]}  [default: {default >> 20} MiB]"
        )
        command = click.option(
            limit_option_of(name), name, type=kind, default=default, metavar="N", help=about, hidden=True
        )(command)
    return command


@click.command(
    epilog="""\b
Examples:
  rnn serve --model runs/latest --workers 2
  rnn serve --model films=runs/films-1 --model tickets=runs/tickets-3
  rnn serve --host 0.0.0.0 --api-key-file keys.txt --log-format json
"""
)
@click.option("--model", "models", multiple=True, metavar="DIR", help="A model, or NAME=DIR; may be repeated.")
@labels_option
@click.option("--precision", type=click.Choice(("fp32", "int8")), default="fp32", metavar="NAME", help="fp32 or int8.")
@click.option("--host", default="127.0.0.1", metavar="NAME", help="Where to listen  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, metavar="N", help="The port  [default: 8000]")
@click.option("--workers", type=click.IntRange(1, 64), default=1, metavar="N", help="Processes  [default: 1]")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Cores of all workers  [default: all]")
@click.option("--api-key-file", metavar="FILE", help="Keys, one a line; or $RNN_API_KEYS.")
@click.option("--no-auth", is_flag=True, help="Let other machines in without a key.")
@click.option("--allowed-host", "allowed_hosts", multiple=True, metavar="NAME", help="A name this server has.")
@click.option(
    "--cors-origin", "cors_origins", multiple=True, metavar="ORIGIN", help="A site whose pages may send requests."
)
@click.option("--tls-cert", metavar="FILE", help="The certificate, for https.")
@click.option("--tls-key", metavar="FILE", help="Its key.")
@click.option(
    "--drain-seconds",
    type=click.IntRange(0),
    default=30,
    metavar="N",
    help="Seconds to finish open requests on shutdown.",
)
@click.option(
    "--unready-seconds", type=click.FloatRange(0), default=0.0, metavar="N", help="Seconds to say so before shutdown."
)
@click.option(
    "--log-format", type=click.Choice(("text", "json")), default="text", metavar="NAME", help="text (default) or json."
)
@click.option("--log-texts", is_flag=True, help="Log the texts of requests.")
@_limit_options
def serve(models: tuple[str, ...], labels: list[str] | None, **options: Any) -> None:
    """Serve predictions over HTTP.

    It listens to this machine alone, unless --host says another address; then it needs a key. The address shows a page
    for a browser, /openapi.json all endpoints. SIGHUP loads the models again. Limits have options, too, such as
    --max-texts: docs/serve.md.
    """
    limits = Limits(**{name: options.pop(name) for name in LIMITS})
    named = named_models(models)
    of_labels = None if labels is None else tuple(labels)
    settings = ServerSettings(named, of_labels, limits=limits, is_quiet=is_quiet(), **options)
    check_settings(settings)

    from rnn_cli.serving.server import serve_alone, serve_with_workers

    if settings.workers == 1:
        from rnn_cli.serving.app import create_app

        serve_alone(settings, create_app(settings, Notes().note), _say_where)
        return
    from rnn_cli.bundle.locate import locate
    from rnn_cli.bundle.model_folder import ONNX_MODEL, TOKENIZER, Bundle

    for _, folder in settings.models:  # what is wrong is told here, before a worker starts
        opened = Bundle.open(locate(folder, Notes().note))
        for name in (TOKENIZER, ONNX_MODEL):
            opened.verify(name)
    serve_with_workers(settings, _say_where)


def _say_where(settings: ServerSettings) -> None:
    from rnn_cli.bundle.locate import locate, shown_model

    quiet: Callable[[str], None] = lambda _: None  # noqa: E731
    for name, folder in settings.models:
        click.echo(f"{name:<8} {shown_model(locate(folder, quiet), from_here=True)}")
    click.echo(f"page     {settings.url}")
    key = ' -H "Authorization: Bearer $KEY"' if read_keys(settings.api_key_file) else ""
    click.echo(f"""try      curl {settings.url}/v1/predict{key} -d '{{"text": "A warm, funny film."}}'""")
