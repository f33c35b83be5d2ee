"""How often the diagnosis finds a failing training, names its cause, stays silent when all is well, and cures."""
