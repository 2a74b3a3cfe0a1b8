"""What every CI job does whatever its phase: identity, processes, repositories, files, report."""
