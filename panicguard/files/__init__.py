"""Which files a run covers, how they are read, and what lies beside them."""
