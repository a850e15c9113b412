"""What attackers gain from our tables, whether what measures it is right, and whether tables can be traced."""
