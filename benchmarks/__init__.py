"""Quality, speed and risks of synthkit, measured; `python -m benchmarks --help` lists what can be measured."""
