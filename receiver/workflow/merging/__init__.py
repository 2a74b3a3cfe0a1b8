"""Whether a merge request may be merged now: facts in, one judgement out. Pure."""
