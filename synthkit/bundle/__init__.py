"""What leaves the house, in one signed file that anybody can check without the real rows."""

from synthkit.bundle.release import release
from synthkit.bundle.verify import Check, verify

__all__ = ["Check", "release", "verify"]
