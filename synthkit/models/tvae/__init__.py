"""The variational autoencoder for tables (TVAE)."""
