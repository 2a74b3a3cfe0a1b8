"""Play a scenario end to end with real processes and show it. Talks to every part over HTTP, as people do."""
