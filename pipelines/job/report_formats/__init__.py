"""Read test and coverage reports that untrusted code wrote. Pure."""
