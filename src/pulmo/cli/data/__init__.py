"""pulmo data: one verb a file."""

import typer

from pulmo.cli.data import importing, merge, phantom, sources, split

app = typer.Typer(help="Make manifests: import, merge, split.", no_args_is_help=True)
app.command("sources")(sources.sources)
app.command("import")(importing.import_)
app.command("merge")(merge.merge)
app.command("split")(split.split)
app.command("phantom")(phantom.phantom)
