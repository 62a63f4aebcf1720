"""One module per block kind; each turns a block and its scope into events and an output."""
