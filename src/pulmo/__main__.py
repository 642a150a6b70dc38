"""Runs the command as `python -m pulmo`."""

from pulmo.cli import main

main()
