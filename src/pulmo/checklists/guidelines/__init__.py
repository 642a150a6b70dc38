"""The checklists, one file each."""
