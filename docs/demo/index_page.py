"""The page of `pulmo serve` without a server."""

from typing import Final

from contents import BuildError

POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; base-uri 'none'"
)

_PARTS: Final = {
    ("<title>", "</title>"): (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n<title>pulmo in the browser</title>'
    ),
    ('href="/icon', ".svg"): 'href="icon.svg',
    ('href="/style', ".css"): 'href="style.css',
    ('src="/app', ".js"): 'src="app.js',
    ("<span>No decision about a patient", "</span>"): (
        "<span>No decision about a patient may rest on this page.</span> "
        "<span>Images stay on this computer.</span>"
    ),
    ('  <div class="field exports"', "  </div>\n"): "",
    ('  <button type="button" id="forget"', "</button>\n"): "",
    ('<p id="state"', "</p>"): (
        '<p id="not-started" class="state mild">The page is starting. If this line stays, the page '
        "was opened as a file, or the browser is too old: put the folder on a web server, such as "
        "<code>python -m http.server</code>, and open its address.</p>\n"
        '<p id="state" class="state" role="status" hidden></p>'
    ),
    ('<p id="drop-text">', "</p>"): (
        '<p id="drop-text">Drop radiographs or a folder here: PNG or JPEG. Nothing is uploaded.</p>'
    ),
    ('<input type="file" id="files"', ">"): (
        '<p class="row">'
        '<button type="button" id="show-drawings" disabled>Try three drawings</button> '
        '<span class="quiet">They show no patient.</span></p>\n'
        '      <input type="file" id="files" multiple hidden aria-label="Images">'
    ),
    ('<option value="sent">', "</option>"): '<option value="sent">newest</option>',
    ('<p id="list-empty" class="quiet">', "</p>"): (
        '<p id="list-empty" class="quiet">The model is being loaded. This takes some seconds the '
        "first time.</p>"
    ),
    ('<footer class="quiet">', "</footer>"): (
        '<footer class="quiet"><span>The model runs in this browser. '
        "<code>pulmo serve</code> also reads DICOM, TIFF and other files.</span></footer>"
    ),
    ('<dialog id="token-dialog"', "</dialog>\n"): "",
    ("<p>The server gets the bytes", "</p>"): (
        "<p>Images, their names and results stay in this page and are gone when you close or "
        "reload it. The page sends nothing, and its policy lets it reach no other host.</p>"
    ),
    ("<p>The server deletes", "</p>"): "<p>Its image is closed in this page too.</p>",
    ("<noscript>", "</noscript>"): (
        '<noscript><p class="state">This page needs JavaScript.</p></noscript>'
    ),
}
"""Start and end of a part of the page -> what stands there instead."""


def index_page(page: str) -> str:
    """Returns the page without what a server alone has, and with what this one says instead.

    Raises:
        BuildError: the page has changed, so that a part is not there once.
    """
    for (start, end), new in _PARTS.items():
        before, found, after = page.partition(start)
        _, ended, rest = after.partition(end)
        if not found or not ended or start in rest:
            raise BuildError(f"index.html must have one part from {start!r} to {end!r}.")
        page = before + new + rest
    return page
