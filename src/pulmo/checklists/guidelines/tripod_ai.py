"""TRIPOD+AI, the reporting of prediction models made by regression or machine learning."""

from typing import Final

from pulmo.checklists.checklist import CHECKLISTS, Checklist, Item, Section
from pulmo.checklists.parts import (
    audited,
    evaluated,
    images,
    metrics,
    model,
    splits,
    training,
)

# An item is a paragraph.
# fmt: off
_FRONT: Final = Section(
    "Title, abstract and introduction",
    (
        Item("1", "Title", "That a model is developed or evaluated, for whom and for what.",
             (model.technology,), "Name the population and the outcome in the title."),
        Item("2", "Abstract", "A summary by TRIPOD+AI's own list for abstracts.",
             (), "Write it; this table has its metrics."),
        Item("3a", "Background", "The setting in health care, the reasons, and earlier models.",
             (model.purpose,), "Write the setting and the reasons, with the earlier models."),
        Item("3b", "Background", "The target population, the purpose and the intended users.",
             (model.notice,), "State for whom, at which point of care, and in whose hands."),
        Item("3c", "Background", "Known inequalities between sociodemographic groups.",
             (), "Describe them, or state that none are known."),
        Item("4", "Objectives", "The objectives: development, evaluation or both.",
             (), "State them."),
    ),
)

_DATA: Final = Section(
    "Methods: data",
    (
        Item("5a", "Data", "Sources of the data for development and evaluation, and why these.",
             (images.sources, model.training_sources, evaluated.evaluated_images),
             "State why these, and whom they represent."),
        Item("5b", "Data", "The dates between which the data were collected.",
             (), "Give the dates of each source; a manifest holds none."),
        Item("6a", "Participants", "The setting, with number and places of the centres.",
             (images.origins,), "State what kind of centres these are."),
        Item("6b", "Participants", "Who was eligible.",
             (training.choice,), "Give the clinical criteria of each source."),
        Item("6c", "Participants", "Treatments received, and how they were handled.",
             (), "Describe them (tubes and lines on the image), or state that they are unknown."),
        Item("7", "Data preparation", "Preparation and checks, and whether alike in all groups.",
             (model.preparation, images.copies),
             "State whether it was alike across sociodemographic groups."),
        Item("8a", "Outcome", "What is predicted, when and how it was assessed, and why this.",
             (model.classes, images.labels),
             "State for each source what its finding rests on, and when it was made."),
        Item("8b", "Outcome", "Who assessed the outcome, if it needs judgement.",
             (), "Give qualification and demography of each source's readers."),
        Item("8c", "Outcome", "Whether the assessment was blinded.",
             (), "State what the readers knew in addition to the image."),
        Item("9a", "Predictors (development)", "Which predictors were considered.",
             (model.image_alone,)),
        Item("9b", "Predictors", "How and when each predictor was measured.",
             (images.modalities, images.views, images.files),
             "Give devices, settings and the time of the image in the course of the disease."),
        Item("9c", "Predictors", "Who assessed predictors, if they need judgement.",
             (model.image_alone,)),
        Item("10", "Sample size", "How the size was arrived at, and whether it suffices.",
             (model.counts, evaluated.sizes),
             "Give the calculation, or state that none was made."),
        Item("11", "Missing data", "How missing data were handled, and why data were left out.",
             (model.image_alone, images.missing, evaluated.left_out), "State why it is missing."),
    ),
)

_ANALYSIS: Final = Section(
    "Methods: analysis",
    (
        Item("12a", "Use of the data (development)", "How the data were used and partitioned.",
             (splits.sides, splits.apart, splits.folds),
             "State how the splits were made (`pulmo data split`, its options and seed)."),
        Item("12b", "Predictors (development)", "How predictors were rescaled or transformed.",
             (model.preparation, training.augmentation)),
        Item("12c", "Model (development)", "Type of model, how it was made and tuned, validation.",
             (model.technology, model.start, training.optimisation, model.chosen_epoch),
             "State why this type, and how the recipe's settings were found."),
        Item("12d", "Clusters", "How heterogeneity between clusters was handled.",
             (metrics.uncertainty, metrics.within_sources)),
        Item("12e", "Measures", "All measures and plots, and why these.",
             (metrics.measures,), "State why these, and which is the primary one."),
        Item("12f", "Updating (evaluation)", "Any updating of the model after its evaluation.",
             (evaluated.not_updated,)),
        Item("12g", "Predictions (evaluation)", "How the predictions were calculated.",
             (model.specification, model.output)),
        Item("13", "Class imbalance", "Methods used against it, why, and calibration after.",
             (training.imbalance, model.output), "State why, if any was used."),
        Item("14", "Fairness", "What was done for fairness, and why.",
             (metrics.subgroups,), "State what was done beyond reporting, or that nothing was."),
        Item("15", "Output (development)", "The output, and how its thresholds were found.",
             (model.output,), "State why this sensitivity is aimed at."),
        Item("16", "Training against evaluation", "How the two sets of data differ.",
             (model.training_sources, evaluated.evaluated_images),
             "State how settings, eligibility and outcomes differ."),
        Item("17", "Ethics", "The ethics committee, and consent or its waiver.",
             (), "Name it, for each source too, or say why none was needed."),
    ),
)

_OPEN: Final = Section(
    "Open science, patients and public",
    (
        Item("18a", "Funding", "Who paid, and their role.", (), "Name them, or say none."),
        Item("18b", "Conflicts of interest", "Those of all authors.", (), "Declare them."),
        Item("18c", "Protocol", "Where it is, or that there is none.",
             (), "Give its place, or state that none was written."),
        Item("18d", "Registration", "Register and number, or that there is none.",
             (), "Give them, or state that the study was not registered."),
        Item("18e", "Data sharing", "Whether the data are available.",
             (images.obtaining, images.sources, images.licences),
             "State whether the manifest, which lists them by hash, is available."),
        Item("18f", "Code sharing", "Whether the code of the analysis is available.",
             (model.code, model.identity)),
        Item("19", "Patients and public", "Their involvement in the study, or that there was none.",
             (), "Describe it, or state that there was none."),
    ),
)

_RESULTS: Final = Section(
    "Results",
    (
        Item("20a", "Participants", "The flow of participants, with and without the outcome.",
             (images.totals, splits.sides, evaluated.left_out),
             "Add those excluded before the import, and a diagram."),
        Item("20b", "Participants", "Their characteristics, by source, and what is missing.",
             (images.people, images.missing, images.confounding),
             "Add key dates, treatments, and differences between demographic groups."),
        Item("20c", "Participants (evaluation)", "Their distribution, compared with development.",
             (images.people, splits.sides),
             "Compare with the images of each evaluation on another manifest."),
        Item("21", "Model development", "Participants and outcomes in each analysis.",
             (model.counts, evaluated.sizes)),
        Item("22", "Specification (development)", "The full model, and on which terms.",
             (model.specification, model.licence), "State where it is available."),
        Item("23a", "Performance", "The performance with intervals, also of subgroups.",
             (metrics.overall, metrics.at_threshold, metrics.by_class, metrics.subgroups)),
        Item("23b", "Performance", "How it differs between clusters.", (metrics.within_sources,)),
        Item("24", "Updating (evaluation)", "Results of any updating.", (evaluated.not_updated,)),
    ),
)

_DISCUSSION: Final = Section(
    "Discussion",
    (
        Item("25", "Interpretation", "The results as a whole, fairness among them.",
             (), "Write it, with the earlier studies."),
        Item("26", "Limitations", "The limitations, and what they do to the results.",
             (model.commonest_sources, metrics.warnings, evaluated.test_accesses,
              audited.not_shown),
             "Discuss them."),
        Item("27a", "Use (development)", "What to do with poor or missing input.",
             (), "State which images must not be given to it, and how that is noticed."),
        Item("27b", "Use (development)", "What users must do, and must know.",
             (model.notice,), "State what the users must be able to judge."),
        Item("27c", "Next steps", "What research should follow, for which settings.",
             (), "Write which settings and populations it has to be tried in."),
    ),
)
# fmt: on

CHECKLISTS.register("tripod-ai")(
    Checklist(
        title="TRIPOD+AI 2024",
        file="TRIPOD-AI.md",
        source="Collins et al., TRIPOD+AI statement, BMJ 2024;385:e078378. Items of development or "
        "of evaluation alone say so; the others are of both.",
        note="The words are ours. The numbers of the 27 items and their 52 parts follow a copy of "
        "the statement's table (CC BY 4.0), not the journal's page: check them before submission.",
        sections=(_FRONT, _DATA, _ANALYSIS, _OPEN, _RESULTS, _DISCUSSION),
    )
)
