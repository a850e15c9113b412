"""Statistics of metrics: intervals, distances, binning and time to event, as functions of arrays."""
