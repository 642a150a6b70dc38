"""Screen: very many images become one table of results, in work that can be stopped anywhere.

The list of the files is written first, and worked on in parts. The results of a part are one file,
which is there whole or not at all, so nothing is lost and nothing is done twice.
"""

import os
import shutil
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pulmo
from pulmo.core.errors import InputError, InterruptedRunError, UsageError
from pulmo.core.files import remove_drafts
from pulmo.core.folders import ScreeningFolder
from pulmo.core.output import claim_folder
from pulmo.core.parallel import Pause, cores
from pulmo.core.record import read_record, write_record
from pulmo.core.workers import WorkerPool
from pulmo.workflows.found import Found, Name
from pulmo.workflows.model import Model, load
from pulmo.workflows.options.screening import ScreenOptions
from pulmo.workflows.screen_file import (
    Row,
    check_model,
    columns_of,
    open_bundle,
    screened,
    screeners,
)
from pulmo.workflows.screen_list import Part, parts_of, read_part, write_list
from pulmo.workflows.screening_record import Screening, ScreeningPlan, ScreeningRecord

if TYPE_CHECKING:
    import pyarrow as pa


class ScreenCallbacks(NamedTuple):
    """The functions that a screening calls.

    Attributes:
        on_progress: called with the files done and the files in all.
        should_stop: called after each file; True ends the work, which can be resumed.
    """

    on_progress: Callable[[int, int], None] = lambda *_: None
    should_stop: Callable[[], bool] = lambda: False


def screen(
    model: Model | str | os.PathLike[str] | None,
    images: Iterable[Name | Pause],
    output: str | os.PathLike[str],
    options: ScreenOptions | None = None,
    callbacks: ScreenCallbacks | None = None,
) -> Screening:
    """Classifies very many images, and writes a row for each file that is named or found.

    Memory does not grow with their number. A file that crashes or hangs a decoder is an error, and
    the rest is done. A script calls this below `if __name__ == "__main__":`, because the workers
    are new processes that import it.

    Args:
        model: the bundle; None: that of the screening to resume.
        images: see `pulmo.workflows.screen_list.write_list`; not read if the list is there.
        output: the folder of the results.
        options: how it is done.
        callbacks: called with the progress; they can stop the work.

    Raises:
        UsageError: the folder is not free, or no model or image is named.
        InputError: the model is missing or damaged, no file is found, or none has a result.
        RefusedError: the screening to resume was begun with another model.
        InterruptedRunError: the callbacks stopped the work; it can be resumed.
    """
    folder = ScreeningFolder(Path(output))
    options, callbacks = options or ScreenOptions(), callbacks or ScreenCallbacks()
    _check_folder(folder, resume=options.resume)
    if folder.index.exists():
        _tidy(folder)
        return _usable(Screening(folder, read_record(folder.index, ScreeningRecord, "a screening")))
    claim_folder(folder.root)
    opened, plan = _begun(model, images, folder, options)
    parts = parts_of(folder.files, plan.part_rows)
    left = [part for part in parts if not folder.part(part.number).exists()]
    done = plan.files - sum(part.rows for part in left)
    callbacks.on_progress(done, plan.files)
    with closing(_work_of(opened, folder, left, options)) as progress:
        for rows in progress:
            done += rows
            callbacks.on_progress(done, plan.files)
            if callbacks.should_stop():
                raise InterruptedRunError(
                    "screening-stopped", f"The screening in {folder.root} stopped."
                )
    return _finish(opened, folder, plan, options)


def _work_of(
    model: Model, folder: ScreeningFolder, parts: Sequence[Part], options: ScreenOptions
) -> Generator[int, None, None]:
    """Works on parts of a list, here or on a cluster; yields how many more files are done."""
    if options.ray is not None:
        from pulmo.workflows.screen_ray import screen_on_ray

        return screen_on_ray(model, folder, parts, options)
    return _work_here(model, folder, parts, options)


def _work_here(
    model: Model, folder: ScreeningFolder, parts: Sequence[Part], options: ScreenOptions
) -> Generator[int, None, None]:
    with screeners(model, options.workers or cores(), options.timeout) as pool:
        yield from screen_parts(model, folder, parts, pool)


def screen_parts(
    model: Model, folder: ScreeningFolder, parts: Sequence[Part], pool: WorkerPool[Found, Row]
) -> Generator[int, None, None]:
    """Writes the results of parts of a list; yields 1 for each file that is done.

    Args:
        model: the bundle.
        folder: of the screening.
        parts: what is to be done.
        pool: of `screeners`.
    """
    from pulmo.workflows.screen_tables import write_part

    files = chain.from_iterable(read_part(folder.files, part) for part in parts)
    schema = _schema(model)
    with closing(screened(model, files, pool)) as rows:
        for part in parts:
            found = []
            for row in islice(rows, part.rows):
                found.append(row)
                yield 1
            write_part(folder.part(part.number), found, schema)


def _check_folder(folder: ScreeningFolder, *, resume: bool) -> None:
    """Checks that a folder is free, or holds a screening if one is to be resumed."""
    if folder.root.exists() and not folder.root.is_dir():
        raise InputError("folder-is-file", f"{folder.root} is a file. A folder was expected.")
    begun = folder.plan.exists() or folder.index.exists()
    if begun and not resume:
        raise UsageError("screening-exists", f"{folder.root} contains a screening already.")
    if begun or not folder.root.exists():
        return
    # A process that was killed before it wrote the plan left a list, or drafts of these two.
    ours = tuple(f".{path.name}." for path in (folder.files, folder.plan))
    for path in folder.root.iterdir():
        if path != folder.files and not path.name.startswith(ours):
            raise UsageError("folder-not-empty", f"{folder.root} is not empty and contains no run.")
    remove_drafts(folder.root)


def _begun(
    model: Model | str | os.PathLike[str] | None,
    images: Iterable[Name | Pause],
    folder: ScreeningFolder,
    options: ScreenOptions,
) -> tuple[Model, ScreeningPlan]:
    """Returns the model and the plan of a screening: that in the folder, or a new one."""
    if not folder.plan.exists():
        if model is None:
            raise UsageError("model-not-given", "No model was named.")
        opened = model if isinstance(model, Model) else load(model)
        files = write_list(images, folder.files, folder.root)
        if not files:
            raise InputError("images-missing", "There is no result: no image was found.")
        plan = ScreeningPlan(
            bundle=os.fspath(opened.path.absolute()),
            model_sha256=opened.predictor.sha256,
            files=files,
            part_rows=options.part_rows,
        )
        write_record(folder.plan, plan)
        return opened, plan
    remove_drafts(folder.root)
    plan = read_record(folder.plan, ScreeningPlan, "the plan of a screening")
    if model is None:
        return open_bundle(Path(plan.bundle), plan.model_sha256), plan
    opened = model if isinstance(model, Model) else load(model)
    check_model(opened, plan.model_sha256)
    return opened, plan


def _schema(model: Model) -> "pa.Schema":
    from pulmo.workflows.screen_tables import schema_of

    return schema_of(columns_of(model), model.card)


def _finish(
    model: Model,
    folder: ScreeningFolder,
    plan: ScreeningPlan,
    options: ScreenOptions,
) -> Screening:
    """Joins the parts, writes the index and removes what is not needed any more."""
    from pulmo.workflows.screen_tables import join_parts

    also = [*([folder.csv] if options.csv else []), *([folder.jsonl] if options.jsonl else [])]
    parts = -(-plan.files // plan.part_rows)
    counts = join_parts(folder, parts, _schema(model), also)
    record = ScreeningRecord(
        pulmo=pulmo.__version__,
        model=model.card.name,
        model_sha256=plan.model_sha256,
        notice=model.card.notice,
        files=plan.files,
        status=counts.status,
        codes=counts.codes,
        decisions=counts.decisions,
        positive=counts.positive,
        note_kinds=counts.note_kinds,
    )
    write_record(folder.index, record)
    _tidy(folder)
    return _usable(Screening(folder, record))


def _usable(screening: Screening) -> Screening:
    """Returns a screening that has a result for at least one file."""
    if not screening.record.status.get("done"):
        raise InputError(
            "files-all-failed",
            f"There is no result: none of the {screening.record.files} files could be used. "
            f"{screening.folder.results} has the reasons.",
        )
    return screening


def _tidy(folder: ScreeningFolder) -> None:
    """Removes the list and the parts of a screening that is finished."""
    shutil.rmtree(folder.parts, ignore_errors=True)
    folder.files.unlink(missing_ok=True)
