"""Settings of the documentation (Sphinx)."""

import subprocess
import sys
from pathlib import Path

import pulmo

HERE = Path(__file__).parent

project = "pulmo"
author = "the authors of pulmo"
copyright = author  # noqa: A001 - Sphinx's name
release = version = pulmo.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "reference/_command.md"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Each tutorial is run when it or the code of the site changes; an error in one fails the build.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 900
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

copybutton_prompt_text = "$ "

html_theme = "pydata_sphinx_theme"
html_title = "pulmo"
html_static_path = ["_static"]
html_css_files = ["pulmo.css"]
html_theme_options = {
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "announcement": "For research, not for diagnosis.",
}
html_sidebars = {"index": []}
html_show_copyright = False

# The reference of the command is what Typer says of it.
subprocess.run(  # noqa: S603 - a fixed command
    [sys.executable, "-m", "typer", "pulmo.cli.app", "utils", "docs", "--name", "pulmo",
     "--output", str(HERE / "reference" / "_command.md")],
    check=True, stdout=subprocess.DEVNULL,
)  # fmt: skip
