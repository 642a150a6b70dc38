"""pulmo data: one verb a file."""

import typer

from pulmo.cli.data import (
    curate,
    deidentify,
    fetch,
    importing,
    inspect,
    merge,
    phantom,
    select,
    sources,
    split,
)

app = typer.Typer(
    help="Get data sets, and make, inspect and split manifests.", no_args_is_help=True
)
app.command("sources")(sources.sources)
app.command("fetch")(fetch.fetch)
app.command("import")(importing.import_)
app.command("merge")(merge.merge)
app.command("curate")(curate.curate)
app.command("select")(select.select)
app.command("split")(split.split)
app.command("inspect")(inspect.inspect)
app.command("deidentify")(deidentify.deidentify)
app.command("phantom")(phantom.phantom)
