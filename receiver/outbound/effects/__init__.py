"""How each effect is performed with the adapters."""
