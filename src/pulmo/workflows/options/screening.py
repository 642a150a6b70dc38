"""Options of a screening of very many images."""

from dataclasses import dataclass, field

from pulmo.core.flags import PYTHON_ONLY, flag


@dataclass(frozen=True)
class ScreenOptions:
    """How very many images are classified.

    Attributes:
        resume: continue the screening in the folder, with its own model and files.
        workers: processes that read and classify. Default: one a processor core.
        timeout: seconds that a file may take; a slower one is an error and the rest is done.
        csv: write the results as CSV too.
        jsonl: write the results as JSON lines too.
        ray: spread the work over the Ray cluster at this address, host:port; `auto` is that of
            $RAY_ADDRESS, `local` a new one on this machine. All its machines must see the files,
            the model and the output folder under the same paths. Default: this machine, without
            Ray.
        part_rows: files of a part of the list; a stop costs at most the parts that are worked on.
    """

    resume: bool = False
    workers: int | None = field(default=None, metadata=flag(least=1))
    timeout: int = field(default=60, metadata=flag(metavar="SECONDS", least=1))
    csv: bool = False
    jsonl: bool = False
    ray: str | None = field(default=None, metadata=flag(metavar="ADDRESS"))
    part_rows: int = field(default=1000, metadata=PYTHON_ONLY)
