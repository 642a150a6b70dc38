from xml.etree import ElementTree as ET

from pulmo.report.sweep import draw_sweep


def test_the_figure_names_the_suggestion_and_its_axes() -> None:
    rates = [1e-4, 1e-3, 1e-2, 1e-1]
    figure = draw_sweep(rates, [2.0, 1.5, 1.2, 4.0], [2.0, 1.8, 1.5, 2.5], 1e-3)
    words = " ".join(" ".join(ET.fromstring(figure).itertext()).split())  # noqa: S314 - our own SVG
    assert "1.0e-03" in words
    assert "learning rate" in words
    assert "training loss" in words
    # The numbers of a logarithmic axis are read by people, and matplotlib writes them as formulas.
    assert "$" not in words
    assert "1e\N{MINUS SIGN}02" in words
