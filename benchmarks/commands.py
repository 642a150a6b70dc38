"""What the scripts of this folder run: pulmo itself, and git."""

import subprocess
import sys
from pathlib import Path


def pulmo(*arguments: str | Path, closed: bool = False) -> None:
    """Runs the command; with `closed` a gate that does not open is no error.

    Raises:
        SystemExit: it failed; its status is the script's.
    """
    print("$ pulmo", *arguments, flush=True)
    done = subprocess.run([sys.executable, "-m", "pulmo", *arguments], check=False)
    if done.returncode and not (closed and done.returncode == 5):
        raise SystemExit(done.returncode)


def commit() -> str:
    """Returns the commit that results are made at."""
    words = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
