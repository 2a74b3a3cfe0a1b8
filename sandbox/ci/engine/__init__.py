"""The state machine of pipelines and jobs: what starts when, what a status follows from."""
