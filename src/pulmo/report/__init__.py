"""An evaluation becomes a page: one HTML file that needs no network, no script and no fonts."""
