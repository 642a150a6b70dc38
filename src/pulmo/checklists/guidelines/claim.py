"""CLAIM, the Checklist for Artificial Intelligence in Medical Imaging, in its update of 2024."""

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
        Item("1", "Title", "That it is a study of AI, and of which technology.",
             (model.technology,), "Put the technology and the task into the title."),
        Item("2", "Abstract", "A structured summary: design, data, methods, results, conclusions.",
             (), "Write it; this table has its metrics."),
        Item("3", "Background", "The clinical background, the intended use and role.",
             (model.notice,), "Write the clinical background, and who would use it for what."),
        Item("4", "Aims", "The aims, objectives and hypotheses of the study.",
             (model.purpose,), "State the hypotheses, and whether they preceded the results."),
    ),
)

_DATA: Final = Section(
    "Methods: design and data",
    (
        Item("5", "Design", "Whether the study is prospective or retrospective.",
             (), "State which, for the training and for each evaluation."),
        Item("6", "Goal", "What the study is to do, such as make or test a model.",
             (model.classes,), "State whether it makes a model, tests one or shows feasibility."),
        Item("7", "Data sources", "Where the data come from, with links to public sets.",
             (images.sources, model.training_sources, evaluated.evaluated_images)),
        Item("8", "Eligibility", "How patients and images were included and excluded.",
             (training.choice, images.origins),
             "Give the clinical criteria of each source, with places and dates."),
        Item("9", "Preparation", "Each step from the stored image to the network's input.",
             (model.preparation, images.files),
             "State what was done to the files before their import (converted, cropped)."),
        Item("10", "Subsets", "Which part of the data was taken, and how it was selected.",
             (training.choice, model.counts),
             "State which part of each source was imported."),
        Item("11", "De-identification", "How identifying data were removed.",
             (images.identifiers,), "State how each source was de-identified, and by which rules."),
        Item("12", "Missing data", "What is missing and how it was handled.",
             (model.image_alone, images.missing, evaluated.left_out),
             "State why it is missing, and which bias that can cause."),
        Item("13", "Acquisition", "How the images were taken: device, settings, view.",
             (images.modalities, images.views),
             "Give devices and exposure settings, which no column of a manifest holds."),
    ),
)

_REFERENCE: Final = Section(
    "Methods: reference standard",
    (
        Item("14", "Definition", "What counts as the truth, so that it can be repeated.",
             (images.labels,),
             "State for each source what its finding rests on (PCR, report, reading)."),
        Item("15", "Reasons", "Why this reference standard and not another.",
             (), "Give the reasons, and the errors that it is known to make."),
        Item("16", "Annotators", "Who gave the labels, and with which qualification.",
             (), "Give number, profession and experience of each source's readers."),
        Item("17", "Annotation of the test set", "How and with what the test was labelled.",
             (), "State whether it differs from the training, and what the readers saw."),
        Item("18", "Agreement of readers", "How much readers differ, and how that was settled.",
             (), "Give the agreement between and within readers, or that there is none."),
    ),
)

_PARTITIONS: Final = Section(
    "Methods: partitions and size of the test",
    (
        Item("19", "Assignment", "How data were assigned to partitions, in which shares.",
             (splits.sides, splits.folds),
             "State how they were assigned (`pulmo data split`, options, seed), and why."),
        Item("20", "Disjointness", "At which level the partitions are disjoint.",
             (splits.apart, images.copies)),
        Item("21", "Size of the test", "The intended size of the test, and how it was determined.",
             (evaluated.sizes,), "Give the calculation, or state that there was none."),
    ),
)

_MODEL: Final = Section(
    "Methods: model and training",
    (
        Item("22", "Model", "The whole architecture, with its inputs and outputs.",
             (model.technology, model.preparation, model.output, model.specification)),
        Item("23", "Software", "Libraries with their versions.",
             (training.software,)),
        Item("24", "Initial weights", "How the weights were initialised.", (model.start,)),
        Item("25", "Training", "The training in detail: augmentation, settings, when it ended.",
             (training.augmentation, training.optimisation, training.imbalance, model.identity)),
        Item("26", "Selection", "How the final model was chosen.",
             (model.chosen_epoch, model.tuning_figures),
             "State how the recipe's settings were found, and how many others were tried."),
        Item("27", "Ensemble", "If models were combined, how.", (model.single,)),
    ),
)

_EVALUATION: Final = Section(
    "Methods: evaluation",
    (
        Item("28", "Measures", "The measures of performance.",
             (metrics.measures,), "State which measure is the primary one, and why."),
        Item("29", "Uncertainty", "Measures of uncertainty and significance.",
             (metrics.uncertainty,),
             "Name the test of each comparison (`pulmo compare`), or state that none is made."),
        Item("30", "Robustness", "Analyses of robustness or sensitivity.",
             (audited.checks,),
             "State which other images, devices and settings were tried, and which were not."),
        Item("31", "Explanation", "Methods of explanation, and how they were validated.",
             (model.maps,), "State whether anyone tested that the maps show what decides."),
        Item("32", "Internal testing", "Evaluation on internal data.",
             (evaluated.internal, evaluated.test_accesses)),
        Item("33", "External testing", "Testing on external data, or why there is none.",
             (evaluated.external,)),
        Item("34", "Registration", "For a clinical trial, its registration.",
             (), "Give register and number, or state that this is no clinical trial."),
    ),
)

_RESULTS: Final = Section(
    "Results",
    (
        Item("35", "Numbers", "How many patients and images were included and excluded.",
             (images.totals, model.counts, evaluated.left_out),
             "Add those excluded before the import, and a flow chart."),
        Item("36", "Characteristics", "Demographic and clinical characteristics by partition.",
             (images.people, images.confounding),
             "Add clinical characteristics (severity, symptoms, other diseases)."),
        Item("37", "Performance", "The final performance against the reference standard.",
             (model.tuning_figures, metrics.overall, metrics.within_sources, metrics.subgroups)),
        Item("38", "Diagnostic accuracy", "Estimates of accuracy with their precision.",
             (metrics.at_threshold, metrics.by_class)),
        Item("39", "Failures", "An analysis of the cases that were decided wrongly.",
             (metrics.confusion,),
             "Show wrong cases (report.html has some) and state why."),
    ),
)

_END: Final = Section(
    "Discussion and other information",
    (
        Item("40", "Limitations", "The study's limitations, bias and generalisability among them.",
             (model.commonest_sources, metrics.warnings, audited.not_shown),
             "Discuss what these mean for the conclusions."),
        Item("41", "Implications", "What it means for practice, with the intended use.",
             (model.notice,), "Discuss what would have to be shown before any use."),
        Item("42", "Protocol", "Where the full protocol or further technical details are.",
             (model.identity,), "Give the protocol, or state that there is none."),
        Item("43", "Availability", "Where software, model and data are available.",
             (model.licence, model.code, images.obtaining, images.licences),
             "State where the model and the manifest are available, and on which terms."),
        Item("44", "Funding", "Who paid, and what their part was.",
             (), "Name the funders and their role, or state that there were none."),
    ),
)
# fmt: on

CHECKLISTS.register("claim")(
    Checklist(
        title="CLAIM 2024",
        file="CLAIM.md",
        source="Tejani et al., Checklist for Artificial Intelligence in Medical Imaging (CLAIM): "
        "2024 Update, Radiology: Artificial Intelligence 2024;6(4):e240300.",
        note="The words are ours. The numbers follow secondary descriptions of the 44 items and "
        "were not compared with the published table: check them before submission.",
        sections=(
            _FRONT,
            _DATA,
            _REFERENCE,
            _PARTITIONS,
            _MODEL,
            _EVALUATION,
            _RESULTS,
            _END,
        ),
    )
)
