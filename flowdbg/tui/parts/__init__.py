"""The parts of the debug screen: each does one group of actions and knows the screen it is on."""
