from pulmo.bundle.card import Epoch
from pulmo.experiments.executor import Listener, LocalExecutor, run_all
from pulmo.train.loop import Callbacks

EPOCH = Epoch(
    epoch=1, lr=1, train_loss=1, val_loss=1, val_accuracy=1, val_balanced_accuracy=1, seconds=1,
    images_per_second=1,
)  # fmt: skip


def test_one_run_after_the_other_and_news_after_each_epoch() -> None:
    heard: list[str] = []
    listener = Listener(Callbacks(on_epoch=lambda _: heard.append("epoch")), None, heard.append)
    executor = LocalExecutor(listener)

    def work(listener: Listener) -> None:
        heard.append("work")
        listener.watch.on_epoch(EPOCH)

    executor.submit("first", work)
    executor.submit("second", work)
    assert heard == []
    assert executor.size == 1
    assert executor.wait(lambda: heard.append("news")) == ["first"]
    assert heard == ["first", "work", "epoch", "news"]
    assert executor.wait(lambda: None) == ["second"]


def test_all_are_done_in_their_order_and_told() -> None:
    done: list[str] = []
    works = {name: lambda listener: listener.watch.on_epoch(EPOCH) for name in "cab"}
    run_all(works, LocalExecutor(), done.append)
    assert done == ["c", "a", "b"]
