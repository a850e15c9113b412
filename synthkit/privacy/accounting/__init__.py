"""Privacy accounting: mechanisms as events, charges, the ledger, and what they come to in epsilon."""
