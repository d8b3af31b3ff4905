"""Factor discovery: from preference pairs to named factors, tested on sources of their own."""
