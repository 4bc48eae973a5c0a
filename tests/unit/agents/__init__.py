"""What the agents do with questions and answers."""
