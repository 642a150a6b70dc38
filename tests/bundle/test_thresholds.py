import warnings

import numpy as np
import pytest
from mapie.risk_control import BinaryClassificationController, BinaryRisk
from numpy.typing import NDArray
from scipy.stats import beta, binom, norm

from pulmo.bundle.thresholds import CONFIDENCE, Aim, allowed_errors, fit_threshold
from pulmo.core.errors import InputError, UsageError

from .conftest import Draw
