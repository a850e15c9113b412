"""Whether what measures risks can be relied on, and what attackers gain from our tables."""
