"""pulmo serve."""

from typing import Annotated

import typer

from pulmo.cli.console import say
from pulmo.cli.daemon import LogFile, LogForm, print_log, starts
from pulmo.cli.model import one_model
from pulmo.cli.options import takes_options
from pulmo.serve.options import DataOptions, ServeOptions

app = typer.Typer(invoke_without_command=True)
tokens = typer.Typer(
    help="Make, list and revoke the tokens of those who may call the server.", no_args_is_help=True
)
app.add_typer(tokens, name="token")


@app.callback()
@takes_options
def serve(context: typer.Context, options: ServeOptions) -> None:
    """Answer requests for predictions over HTTP. For research, not diagnosis.

    By default only this machine can reach it. For other machines it needs --host or --behind-proxy,
    a token, and TLS, its own or that of the proxy. The page is at /, the API at /v1, its
    documentation at /docs. After Ctrl-C the requests in work are finished.
    """
    if not starts(context, options, "the server"):
        return
    from pulmo.serve.server import serve as serve_models

    models = options.model or [one_model(None, None)]
    serve_models(models, options, typer.echo)


@app.command("log")
@takes_options
def log(export: LogForm = "csv", output: LogFile = None, *, options: DataOptions) -> None:
    """Print what was answered, to whom and when, the oldest first."""
    from pulmo.serve.server import open_database

    print_log(lambda: open_database(options), export, output)


@tokens.command("create")
@takes_options
def create(
    name: Annotated[str, typer.Argument(help="The name of its holder; the log shows it.")],
    *,
    see_all: Annotated[
        bool,
        typer.Option(
            "--see-all",
            help="Let its holder see and delete the results of all holders, not only their own.",
        ),
    ] = False,
    options: DataOptions,
) -> None:
    """Make a token and print it. It cannot be shown again."""
    from pulmo.serve.server import open_database
    from pulmo.serve.tokens import create_token

    with open_database(options) as database:
        typer.echo(create_token(database, name, sees_all=see_all))
    say("It is not kept and cannot be shown again.")


@tokens.command("list")
@takes_options
def list_tokens(*, options: DataOptions) -> None:
    """Print the names of all tokens, when each was made, and when it was revoked."""
    from pulmo.serve.server import open_database
    from pulmo.serve.tokens import tokens_of

    with open_database(options) as database:
        for token in tokens_of(database):
            state = f"revoked {token.revoked}" if token.revoked else "valid"
            scope = "sees all" if token.sees_all else "sees its own"
            typer.echo(f"{token.name}  {token.created}  {scope}  {state}")


@tokens.command("revoke")
@takes_options
def revoke(
    name: Annotated[str, typer.Argument(help="The name of its holder.")],
    *,
    options: DataOptions,
) -> None:
    """Make a token invalid, at once and for good."""
    from pulmo.serve.server import open_database
    from pulmo.serve.tokens import revoke_token

    with open_database(options) as database:
        revoke_token(database, name)
