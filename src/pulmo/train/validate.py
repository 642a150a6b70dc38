"""The end of an epoch: the validation pictures."""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

from pulmo.bundle.card import Epoch
from pulmo.bundle.outcome import probabilities
from pulmo.train.checkpoint import Progress
from pulmo.train.engine import Engine
from pulmo.train.infer import check_finite, infer
from pulmo.train.optimise import learning_rate


def end_epoch(engine: Engine, progress: Progress) -> bool:
    """Validates, adds the epoch to the history, and sets `progress` to the start of the next one.

    Returns:
        Whether the validation loss is the lowest so far.

    Raises:
        InputError: a logit is not a finite number.
    """
    material, steps = engine.material, engine.steps
    logits = _logits(engine)
    truth, decided = material.truth[material.val], logits.argmax(axis=1)
    loss = float(log_loss(truth, probabilities(logits, 1.0), labels=range(logits.shape[1])))
    last_step = (progress.stage_epoch + 1) * steps - 1
    progress.history.append(
        Epoch(
            epoch=progress.epoch + 1,
            stage=progress.stage + 1,
            lr=learning_rate(engine.stage, last_step, steps),
            train_loss=progress.loss_sum / progress.seen,
            train_accuracy=_training_accuracy(engine, progress),
            val_loss=loss,
            val_accuracy=float(accuracy_score(truth, decided)),
            val_balanced_accuracy=float(balanced_accuracy_score(truth, decided)),
            seconds=progress.seconds,
            images_per_second=progress.seen / progress.seconds,
        )
    )
    progress.epoch, progress.stage_epoch = progress.epoch + 1, progress.stage_epoch + 1
    progress.step, progress.seen, progress.seconds = 0, 0, 0.0
    progress.loss_sum, progress.right = 0.0, 0.0
    improved = progress.best_loss is None or loss < progress.best_loss
    if improved:
        progress.best_loss, progress.best_epoch = loss, progress.epoch
    return improved


def _training_accuracy(engine: Engine, progress: Progress) -> float | None:
    """Returns the share of an epoch's training pictures that were told right; None if mixed."""
    return None if engine.recipe.train.mixup else progress.right / progress.seen


def _logits(engine: Engine) -> NDArray[np.float32]:
    """Returns the logits of the validation pictures, float32 [n, classes]."""
    if engine.features is None:
        val, team = engine.material.val, engine.team
        mine = np.concatenate([part for part, _ in infer(engine, val[team.part(len(val))])])
        return team.gather(mine, len(val))
    # A copy, because torch cannot take memory that it may not write to.
    pooled = torch.from_numpy(engine.features.val.copy()).to(engine.device)
    with torch.no_grad():
        logits = engine.judged.eval().head.logits(pooled).cpu().numpy()
    check_finite(logits, "network's result on a validation picture")
    return logits
