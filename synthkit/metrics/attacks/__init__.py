"""What an attacker who has the synthetic rows gains, each figure beside people who were not in the data."""
