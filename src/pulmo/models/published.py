"""Published weights: whether those that a recipe starts from can be had, found out at once.

timm takes its weights from the Hugging Face hub, whose client tries an unreachable host again and
again for half a minute, and a few from GitHub. So a host is asked once, with a short limit, before
timm is.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

import timm
import torch
from huggingface_hub import constants, get_session, try_to_load_from_cache

from pulmo.core.errors import UsageError, WeightsError

SECONDS: Final = 3.0
"""A host that has not answered by then counts as out of reach."""

_FILES: Final = ("model.safetensors", "pytorch_model.bin")
"""How timm's repositories on the hub call their weights."""


def check_published(name: str) -> None:
    """Checks that the weights of a timm network are on this machine, or that their host answers.

    A name that timm does not know passes; whoever makes the network says so.

    Raises:
        UsageError: the network has no published weights.
        WeightsError: they are not on this machine, and their host cannot be reached.
    """
    about: Any = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    if about is None:
        return
    if not about.has_weights:
        raise UsageError(
            "published-weights-unknown",
            f"There are no published weights of {name!r} in timm. Its weights must be a file or "
            "none.",
        )
    if _at_hand(about):
        return
    address = constants.ENDPOINT if about.hf_hub_id else about.url
    if reason := _unreachable(address):
        raise WeightsError(
            "weights-unavailable",
            f"The published weights of {name!r} are not on this machine, and "
            f"{urlsplit(address).netloc} cannot be reached ({reason}).",
        )


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Keeps what the hub's client logs off the terminal; what matters of it is an error."""
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _at_hand(about: Any) -> bool:  # noqa: ANN401 - timm's PretrainedCfg
    """Tells whether an earlier run has left the weights in the cache."""
    if about.hf_hub_id:
        repository, _, revision = about.hf_hub_id.partition("@")
        names = (about.hf_hub_filename,) if about.hf_hub_filename else _FILES
        found = (try_to_load_from_cache(repository, n, revision=revision or None) for n in names)
        return any(isinstance(path, str) for path in found)
    file = PurePosixPath(urlsplit(about.url).path).name
    return (Path(torch.hub.get_dir()) / "checkpoints" / file).is_file()


def _unreachable(address: str) -> str:
    """Returns why a host cannot be reached; nothing if it can, whatever it answers.

    It is asked the way the hub's client asks, by the same proxies and certificates.
    """
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    answers: list[str] = []

    def ask() -> None:
        try:
            get_session().head(address, timeout=SECONDS)
        except Exception as error:  # noqa: BLE001 - the errors of whatever the client is made of
            answers.append(str(error) or type(error).__name__)
        else:
            answers.append("")

    # In a thread, since nothing limits how long the name of a host may be looked up.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(SECONDS)
    return answers[0] if answers else f"no answer within {SECONDS:g} s"
