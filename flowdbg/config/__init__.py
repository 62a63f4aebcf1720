"""Where things are kept and how a person has set flowdbg up."""
