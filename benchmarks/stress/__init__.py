"""Faults on purpose: wrong inputs, kills, full disks, many runs."""
