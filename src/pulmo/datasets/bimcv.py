"""The findings of the reports that BIMCV publishes: PadChest's and those of BIMCV-COVID19."""

import re
from collections.abc import Mapping
from typing import Final

_OTHER: Final = """
abnormal foreign body | abscess | adenopathy | air bronchogram | air fluid level | air trapping |
alveolar pattern | aortic aneurysm | aortic atheromatosis | aortic button enlargement |
aortic elongation | aortic endoprosthesis | apical pleural thickening |
artificial aortic heart valve | artificial heart valve | artificial mitral heart valve |
asbestosis signs | ascendent aortic elongation | atelectasis | atelectasis basal |
axial hyperostosis | azygoesophageal recess shift | azygos lobe | blastic bone lesion |
bone cement | bone metastasis | breast mass | bronchiectasis | bronchovascular markings | bullas |
calcified adenopathy | calcified densities | calcified fibroadenoma | calcified granuloma |
calcified mediastinal adenopathy | calcified pleural plaques | calcified pleural thickening |
callus rib fracture | cardiomegaly | catheter | cavitation | central vascular redistribution |
central venous catheter | central venous catheter via jugular vein |
central venous catheter via subclavian vein | central venous catheter via umbilical vein |
cervical rib | chest drain tube | Chilaiditi sign | chronic changes | clavicle fracture |
consolidation | COPD signs | costochondral junction hypertrophy | costophrenic angle blunting |
cyst | dai | descendent aortic elongation | dextrocardia | diaphragmatic eventration |
double J stent | dual chamber device | electrical device | emphysema | empyema | end on vessel |
endoprosthesis | endotracheal tube | esophagic dilatation | external foreign body |
fibrotic band | fissure thickening | flattened diaphragm | fracture | gastrostomy tube | goiter |
granuloma | ground glass pattern | gynecomastia | heart insufficiency | heart valve calcified |
hemidiaphragm elevation | hemothorax | hiatal hernia | hilar congestion | hilar enlargement |
humeral fracture | humeral prosthesis | hydropneumothorax | hyperinflated lung | hypoexpansion |
hypoexpansion basal | increased density | infiltrates | interstitial pattern | kerley lines |
kyphosis | laminar atelectasis | lepidic adenocarcinoma | lipomatosis | lobar atelectasis |
loculated fissural effusion | loculated pleural effusion | lung metastasis |
lung vascular paucity | lymphangitis carcinomatosa | lytic bone lesion |
major fissure thickening | mammary prosthesis | mass | mastectomy | mediastinal enlargement |
mediastinal mass | mediastinal shift | mediastinic lipomatosis | metal | miliary opacities |
minor fissure thickening | multiple nodules | nephrostomy tube | nipple shadow | nodule |
non axial articular degenerative changes | NSG tube | obesity | osteopenia | osteoporosis |
osteosynthesis material | pacemaker | pectum carinatum | pectum excavatum |
pericardial effusion | pleural effusion | pleural mass | pleural plaques | pleural thickening |
pneumomediastinum | pneumoperitoneo | pneumothorax | post radiotherapy changes | prosthesis |
pseudonodule | pulmonary artery enlargement | pulmonary artery hypertension | pulmonary edema |
pulmonary fibrosis | pulmonary hypertension | pulmonary mass | pulmonary venous hypertension |
reservoir central venous catheter | respiratory distress | reticular interstitial pattern |
reticulonodular interstitial pattern | rib fracture | right sided aortic arch |
round atelectasis | sclerotic bone lesion | scoliosis | segmental atelectasis |
single chamber device | soft tissue mass | sternoclavicular junction hypertrophy | sternotomy |
subacromial space narrowing | subcutaneous emphysema | superior mediastinal enlargement |
supra aortic elongation | surgery | surgery breast | surgery heart | surgery humeral |
surgery lung | surgery neck | suture material | thoracic cage deformation | total atelectasis |
tracheal shift | tracheostomy tube | tuberculosis | tuberculosis sequelae |
vascular hilar enlargement | vascular redistribution | ventriculoperitoneal drain tube |
vertebral anterior compression | vertebral compression | vertebral degenerative changes |
vertebral fracture | volume loss
"""

LABELS: Final[Mapping[str, str | None]] = {
    **{" ".join(word.split()): "other" for word in _OTHER.split("|")},
    "normal": "normal",
    "pneumonia": "pneumonia",
    "atypical pneumonia": "pneumonia",
    # Since an earlier image that nobody names.
    "unchanged": None,
}
"""PadChest's findings and diagnoses -> label, or None for one that states nothing.

The words are those of its tree of terms (Bustos et al. 2020) and of its table, some of them
Spanish. `exclude` and `suboptimal study` are not among them: an image with one has no label."""

EXCLUDED: Final = {
    "exclude": "the set excludes it",
    "suboptimal study": "its study is suboptimal",
}
"""Words in the place of findings that leave an image out, and the reason."""

_TEXT: Final = re.compile(r"""'[^']*'|"[^"]*\"""")
_BETWEEN: Final = re.compile(r"[,\t]")


def findings_of(text: str) -> list[str]:
    """Returns the findings of a cell such as `['normal', ' pleural effusion ']`, each once.

    They come without the spaces around them, which the tables have. Some lists are separated by
    tabs.

    Raises:
        ValueError: it is no such list; the message is a problem's reason.
    """
    inside = text.strip()
    between = _BETWEEN.split(_TEXT.sub("*", inside[1:-1]))
    if inside[:1] + inside[-1:] != "[]" or {piece.strip() for piece in between} - {"*", ""}:
        raise ValueError(f"its labels {text[:80]!r} are no list")
    words = (" ".join(word[1:-1].split()) for word in _TEXT.findall(inside))
    return [*dict.fromkeys(filter(None, words))]


def exclusion_of(findings: list[str]) -> str | None:
    """Returns why an image with these findings is left out by rule; None if it is not."""
    return next((EXCLUDED[word] for word in findings if word in EXCLUDED), None)
