"""How a command ends."""

OUR_FAULT, WRONG_USE, SOURCE_DOWN, INTERRUPTED = 1, 2, 3, 130
