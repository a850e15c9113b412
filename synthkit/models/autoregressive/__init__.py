"""The autoregressive model of all slots in any order."""
