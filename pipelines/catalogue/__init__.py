"""bug-fix.yml: read, validated, its presets and reference; what a plan may do under it. Opens no file."""
