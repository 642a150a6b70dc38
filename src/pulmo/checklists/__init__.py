"""Checklists of reporting, filled in from what was written down, with the gaps marked as gaps."""
