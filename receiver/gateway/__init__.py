"""The Messages API that jobs call: the only holder of the key; metered, budgeted, in the ledger."""
