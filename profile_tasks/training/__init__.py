"""Training on preferences: pairs, their export in TRL's formats, and TRL itself."""
