"""A keyed watermark: sampled rows are chosen among candidates by a secret, which can be found in the table later."""

from synthkit.watermark.candidate_choice import choose_candidates
from synthkit.watermark.detection import WatermarkDetection, detect
from synthkit.watermark.key import WatermarkKey

__all__ = ["WatermarkDetection", "WatermarkKey", "choose_candidates", "detect"]
