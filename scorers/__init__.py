"""How answers are measured: factors, influence, alignment and their uncertainty."""
