from pulmo.bundle.card import Epoch
from pulmo.experiments.executor import LocalExecutor, run_all
from pulmo.train.callbacks import Callbacks

EPOCH = Epoch(
    epoch=1, lr=1, train_loss=1, val_loss=1, val_accuracy=1, val_balanced_accuracy=1, seconds=1,
    images_per_second=1,
)  # fmt: skip


def test_one_run_after_the_other_and_news_after_each_epoch() -> None:
    heard: list[str] = []
    callbacks = Callbacks(on_epoch=lambda _: heard.append("epoch"), on_begin=heard.append)
    executor = LocalExecutor(callbacks)

    def work(callbacks: Callbacks) -> None:
        heard.append("work")
        callbacks.on_epoch(EPOCH)

    executor.submit("first", work)
    executor.submit("second", work)
    assert heard == []
    assert executor.size == 1
    assert executor.wait(lambda: heard.append("news")) == ["first"]
    assert heard == ["first", "work", "epoch", "news"]
    assert executor.wait(lambda: None) == ["second"]


def test_all_are_done_in_their_order_and_reported() -> None:
    done: list[str] = []
    works = {name: lambda callbacks: callbacks.on_epoch(EPOCH) for name in "cab"}
    run_all(works, LocalExecutor(), done.append)
    assert done == ["c", "a", "b"]
