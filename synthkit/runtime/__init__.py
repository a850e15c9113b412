"""The process: seeds, progress, devices, limits on time and memory, imports on first use."""
