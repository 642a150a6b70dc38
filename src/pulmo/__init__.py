"""Chest X-ray classifiers: data that cannot leak, training, figures with intervals, one bundle.

For research, not diagnosis.
"""

__version__ = "0.1.0"
