"""The worker: deliveries become decisions, decisions become effects, effects become events. Sweeps up what got lost."""
