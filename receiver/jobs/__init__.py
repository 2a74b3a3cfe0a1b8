"""The API that CI jobs talk to: who a job is, what it is told, what it reports."""
