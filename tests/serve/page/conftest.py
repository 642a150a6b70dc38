"""A server at an address and a browser that shows its page; what the browser complains of fails."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from fixtures.browser import Complaints, Site
from fixtures.served import HOSTS, PoolHere, make_service
from pulmo.daemon.json_log import log
from pulmo.serve.app import make_app
from pulmo.serve.models import ServedModel
from pulmo.serve.options import ServeOptions
from pulmo.serve.worker import Job

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives the tests of this folder two more tries: a browser on a busy machine may be late."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.flaky(reruns=2))


# While Playwright runs, its event loop is that of the thread, and no other test could have one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system; where it is missing, the tests skip."""
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"None of {', '.join(_BROWSERS)} is installed.")
    with sync_playwright() as started:
        # A container has no user namespaces, and the browser sees this page alone.
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(
    served: Mapping[str, ServedModel],
    work: Callable[[Job], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A server in a thread; its results stay from test to test."""
    folder = tmp_path_factory.mktemp("site")
    service = make_service(served, folder, PoolHere(work), ServeOptions())
    config = uvicorn.Config(make_app(service, HOSTS), port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)

    def log_others(*told: Any, **values: Any) -> None:  # noqa: ANN401 - passed on
        # What this thread logs between two tests would be shown among their results.
        if threading.current_thread() is not thread:
            log(*told, **values)

    patch = pytest.MonkeyPatch()
    patch.setattr("pulmo.serve.frame.log", log_others)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Site(f"http://127.0.0.1:{port}", service)
    server.should_exit = True
    thread.join()
    patch.undo()
    service.database.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the browser complains of: at the end of a test, nothing."""
    found = Complaints()
    yield found
    assert found.texts == []


@pytest.fixture
def unloaded(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """A page in a browser of its own, before it is loaded."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints.watch(page)
    # The browser is told before a test chooses files, and not while it does.
    page.on("filechooser", lambda _: None)
    yield page
    context.close()


@pytest.fixture
def page(unloaded: Page, site: Site) -> Page:
    """The page, ready to take images; earlier results are deleted."""
    with site.service.database.transaction() as connection:
        connection.execute("DELETE FROM predictions")
    unloaded.goto(site.address)
    unloaded.locator("#choose-files:enabled").wait_for()
    return unloaded


@pytest.fixture
def shown(page: Page, image: Path) -> Page:
    """The page with the result of an image."""
    page.set_input_files("#files", image)
    page.locator("#view-message:empty").wait_for(state="attached")
    page.locator(".values", has_text="zoom").wait_for()
    return page
