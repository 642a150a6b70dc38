"""Pull: images of an archive come into the inbox or into a folder; what is there is left."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import InputError, PulmoError, UsageError
from pulmo.core.files import write_atomically
from pulmo.core.output import claim_folder
from pulmo.node import inbox
from pulmo.node.archive import Archive, Keep, Wanted
from pulmo.node.dicom_archive import DicomArchive
from pulmo.node.options import PullOptions
from pulmo.node.peers import Peer, WebPeer, check_title, read_peer, read_web_peer
from pulmo.node.quiet import silence_libraries
from pulmo.node.send import PeerAwayError
from pulmo.node.store import Store, data_folder
from pulmo.node.way import Way, way_of
from pulmo.node.web_archive import WebArchive

_MODALITIES: Final = ("CR", "DX")
_UID: Final = re.compile(r"[0-9.]{1,64}")


class Pulled(NamedTuple):
    """What was fetched.

    Attributes:
        found: images that were looked for.
        known: of them, those that were there already.
        fetched: of them, those that were fetched now.
        failed: of them, those that could not be fetched.
        part_unknown: of them, those whose archive does not state the part of the body.
        reason: why the last of those that failed could not be fetched, as a sentence.
    """

    found: int = 0
    known: int = 0
    fetched: int = 0
    failed: int = 0
    part_unknown: int = 0
    reason: str | None = None

    def lines(self) -> list[str]:
        """Returns what people read."""
        said = [f"{self.found:,} images: {self.fetched:,} fetched, {self.known:,} known before"]
        if self.failed:
            said.append(f"{self.failed:,} could not be fetched. The last reason: {self.reason}")
        if self.part_unknown:
            said.append(f"Of {self.part_unknown:,} the archive states no part of the body.")
        return said


class _Place(NamedTuple):
    """Where images are kept."""

    has: Callable[[str], bool]
    keep: Keep


def pull(
    source: str, options: PullOptions, on_progress: Callable[[Pulled], None] = lambda _: None
) -> Pulled:
    """Fetches images of an archive; a call that was interrupted goes on where it stopped.

    Args:
        source: the archive, as TITLE@HOST:PORT or as the address of its DICOMweb server.
        options: which images, and where to.
        on_progress: called after each image.

    Raises:
        UsageError: an option is none, or options contradict each other.
        InputError: the archive does not offer what is asked for, or a folder cannot be used.
        PulmoError: the archive cannot be reached, or an image cannot be kept.
    """
    wanted = _wanted(options)
    peer: Peer = read_web_peer(source) if "://" in source else read_peer(source)
    if options.move_to is not None:
        _check_move(peer, options)
    way = way_of(options, [peer], tls=options.tls)
    silence_libraries()
    done = Pulled()
    with ExitStack() as stack:
        place = stack.enter_context(_place(options, str(peer)))
        archive = _archive(peer, way, options.move_to, stack)
        for instance in archive.find(wanted):
            done = done._replace(
                found=done.found + 1,
                part_unknown=done.part_unknown + (not instance.body_part),
            )
            if place.has(instance.uid):
                done = done._replace(known=done.known + 1)
                continue
            try:
                archive.fetch(instance, place.keep)
            except PeerAwayError:
                raise
            except PulmoError as error:
                if error.code in {"disk-full", "database-locked", "file-not-written"}:
                    raise
                done = done._replace(failed=done.failed + 1, reason=str(error))
            else:
                done = done._replace(fetched=done.fetched + 1)
            on_progress(done)
    return done


def _archive(peer: Peer, way: Way, move_to: str | None, stack: ExitStack) -> Archive:
    if isinstance(peer, WebPeer):
        return WebArchive(peer, way)
    return DicomArchive(peer, way, move_to, stack)


@contextmanager
def _place(options: PullOptions, caller: str) -> Iterator[_Place]:
    """Gives the inbox or the folder."""
    if options.to is not None:
        claim_folder(options.to)
        folder = options.to
        yield _Place(
            lambda uid: _file(folder, uid).exists(),
            lambda uid, data: write_atomically(_file(folder, uid), data),
        )
        return
    with Store(data_folder(options)) as store:

        def keep(uid: str, data: bytes) -> None:
            inbox.put(store, uid, data, caller)

        yield _Place(lambda uid: inbox.has(store, uid), keep)


def _file(folder: Path, uid: str) -> Path:
    if not _UID.fullmatch(uid):
        raise InputError("uid-invalid", "The archive named an image by something that is no UID.")
    return folder / f"{uid}.dcm"


def _wanted(options: PullOptions) -> Wanted:
    since = _date(options.since)
    until = since if options.until is None else _date(options.until)
    if until < since:
        raise UsageError("dates-reversed", f"{until} is before {since}.")
    modalities = tuple(each.upper() for each in options.modality) or _MODALITIES
    parts = tuple(each.upper() for each in options.body_part)
    return Wanted(f"{since:%Y%m%d}", f"{until:%Y%m%d}", modalities, parts)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            "date-invalid", f"{text!r} is no date; one is written as 2026-01-31."
        ) from None


def _check_move(peer: Peer, options: PullOptions) -> None:
    check_title(options.move_to or "")
    if isinstance(peer, WebPeer):
        raise UsageError("move-by-web", "A DICOMweb server sends nothing to an AE title.")
    if options.to is not None:
        raise UsageError(
            "move-to-folder", "What comes by C-MOVE comes to a node that listens, and to no folder."
        )
