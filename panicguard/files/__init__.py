"""Which files a run is about, how they are read, and what lies beside them."""
