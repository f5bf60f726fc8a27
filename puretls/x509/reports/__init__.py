"""What validation has to say: the rules, findings with their places, and the same in words."""
