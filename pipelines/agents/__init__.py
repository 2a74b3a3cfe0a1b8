"""Agents in jobs: prompts, tools, the loop. Knows conversations; what a phase does with them is in phases/."""
