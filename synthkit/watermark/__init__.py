"""A keyed watermark: sampled rows, or units, are chosen among candidates by a secret, which is found later."""

from synthkit.watermark.candidate_choice import choose_candidates
from synthkit.watermark.detection import WatermarkDetection, detect
from synthkit.watermark.key import WatermarkKey
from synthkit.watermark.unit_choice import choose_units
from synthkit.watermark.unit_detection import UnitDetection, detect_units
from synthkit.watermark.unit_key import UnitWatermarkKey

__all__ = [
    "UnitDetection",
    "UnitWatermarkKey",
    "WatermarkDetection",
    "WatermarkKey",
    "choose_candidates",
    "choose_units",
    "detect",
    "detect_units",
]
