"""The synthesizer: table in, table out, an encoder and a model."""
