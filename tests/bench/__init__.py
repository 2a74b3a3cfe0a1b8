"""Measure the product as a whole, as ratios within one run where the machine matters. Proves nothing; tests do that."""
