"""Releases: the folder of a run, the policy it is held against, and the signed bundle."""
