"""What the codes of a DICOM header say of the modality, the part of the body and the purpose."""

import re
from typing import Final

from pulmo.radiograph.facts import MODALITIES, SNOMED, modality_of

# The other defined terms of PS3.3 C.7.3.1.1.1, also retired ones: each is another modality.
_OTHER_MODALITIES: Final = """
    AR AS ASMT AU BDUS BI BMD CD CF CP CS CTPROTOCOL DD DF DG DM DMS DOC DS EC ECG EEG EMG
    EOG EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MS OAM OCT OP
    OPM OPR OPT OPTBSV OPTENF OPV OSS PA PLAN POS PR PX REG RESP RTDOSE RTIMAGE RTINTENT
    RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG VA
    VF XC
"""

# What the kind of a DICOM object says of the modality: the end of the SOP Class UID after
# 1.2.840.10008.5.1.4.1.1. (PS3.4 B.5). Secondary captures say nothing.
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_CLASS_MODALITIES: Final = {
    "1": "X-ray",
    "1.1": "X-ray",
    "1.1.1": "X-ray",
    "1.2": "MG",
    "1.2.1": "MG",
    "1.3": "other",
    "1.3.1": "other",
    "2": "CT",
    "2.1": "CT",
    "2.2": "CT",
    "3.1": "US",
    "4": "MR",
    "4.1": "MR",
    "4.3": "MR",
    "4.4": "MR",
    "6.1": "US",
    "6.2": "US",
    "12.1": "XA",
    "12.1.1": "XA",
    "12.2": "X-ray",
    "12.2.1": "X-ray",
    "13.1.1": "XA",
    "13.1.3": "MG",
    "20": "NM",
    "128": "PT",
    "128.1": "PT",
    "130": "PT",
}
_FOR_PROCESSING: Final = ("1.1.1", "1.2.1", "1.3.1")

# Words of Body Part Examined (PS3.16 annex L, and the same in other languages) for the chest.
_CHEST: Final = frozenset({"CHEST", "THORAX", "TORAX", "LUNG", "LUNGS", "PULMON", "POUMON"})
_CHEST_AND_MORE: Final = {
    "CHESTABDOMEN": "chest and abdomen",
    "CHESTABDPELVIS": "chest, abdomen and pelvis",
    "NECKCHEST": "neck and chest",
    "NECKCHESTABDOMEN": "neck, chest and abdomen",
    "NECKCHESTABDPELV": "neck, chest, abdomen and pelvis",
    "WHOLEBODY": "whole body",
}
# Of the other terms those that an X-ray image may have. The heart and the mediastinum are left out:
# a chest image may be filed under them.
_OTHER_PARTS: Final = """
    ABDOMEN ABDOMENPELVIS ANKLE ARM BLADDER BRAIN BREAST CALCANEUS CALF CLAVICLE COCCYX
    COLON CSPINE CTSPINE ELBOW ESOPHAGUS EXTREMITY FACE FEMUR FIBULA FINGER FOOT FOREARM
    HAND HEAD HEADNECK HIP HUMERUS JAW KIDNEY KNEE LEG LIVER LSPINE LSSPINE MANDIBLE
    MAXILLA NECK NOSE ORBIT PATELLA PELVIS RIB RIBS SCAPULA SHOULDER SIJOINT SKULL SPINE
    SSPINE STERNUM STOMACH THIGH THUMB TIBIA TLSPINE TMJ TOE TOOTH TSPINE WRIST ZYGOMA
"""
# PS3.16 CID 4031 in SNOMED CT, and older codes: the chest and the lungs.
_CHEST_CODES: Final = frozenset({"816094009", "51185008", "39607008", "T-D3000", "T-28000"})


def modality_of_header(code: str) -> str | None:
    """Returns the modality of a DICOM Modality; None also for a code that DICOM does not have."""
    code = code.upper()
    return modality_of(code) if code in MODALITIES or code in _OTHER_MODALITIES.split() else None


def modality_of_class(sop_class: str) -> str | None:
    """Returns the modality that the kind of a DICOM object tells; None where it tells none.

    Args:
        sop_class: the SOP Class UID (0008,0016).
    """
    if not sop_class.startswith(_STORAGE):
        return None
    return _CLASS_MODALITIES.get(sop_class.removeprefix(_STORAGE))


def intent_of(stated: str, sop_class: str) -> str | None:
    """Returns `for processing` of an image that is not made to be looked at; else None.

    Args:
        stated: the Presentation Intent Type (0008,0068).
        sop_class: the SOP Class UID, which tells it too for digital X-ray images.
    """
    suffix = sop_class.removeprefix(_STORAGE) if sop_class.startswith(_STORAGE) else ""
    if stated.upper() == "FOR PROCESSING" or suffix in _FOR_PROCESSING:
        return "for processing"
    return None


def body_part_of(code: str) -> str | None:
    """Returns the part of the body of a DICOM Body Part Examined (0018,0015).

    Returns:
        chest, another part or several in small letters; None for a word that is not known.
    """
    words = re.split(r"[^A-Z]+", code.upper())
    if together := _CHEST_AND_MORE.get("".join(words)):
        return together
    others = [word for word in words if word and word in _OTHER_PARTS.split()]
    if _CHEST.intersection(words):
        return " and ".join(["chest", *(word.lower() for word in others)])
    return others[0].lower() if others else None


def body_part_of_code(scheme: str, code: str) -> str | None:
    """Returns the part of the body of a code of PS3.16 CID 4031; None for an unknown one.

    Args:
        scheme: the Coding Scheme Designator: SCT for SNOMED CT, SRT, SNM3 or 99SDM for SNOMED RT.
        code: the Code Value.
    """
    if scheme not in SNOMED:
        return None
    if code in _CHEST_CODES:
        return "chest"
    # pydicom has the standard's list; few files need it.
    from pydicom.sr.codedict import codes  # noqa: PLC0415 - see above

    regions = (getattr(codes.cid4031, name) for name in codes.cid4031.dir())
    return next((str(region.meaning).lower() for region in regions if region.value == code), None)
