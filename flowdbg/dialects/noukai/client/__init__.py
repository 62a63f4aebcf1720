"""The client side of the dialect beyond `/step`: whole runs, jobs, traces (sections 2, 6 to 8)."""
