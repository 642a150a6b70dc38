"""What each artefact can say about the items of a checklist, one file an artefact."""
