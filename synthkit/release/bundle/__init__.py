"""What leaves the house, in one signed file that anybody can check without the real rows."""

from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.verification import BundleCheck, verify

__all__ = ["BundleCheck", "release", "verify"]
