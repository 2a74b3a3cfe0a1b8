"""From a .gitlab-ci.yml to compiled jobs: YAML, inputs, includes, rules, matrices, needs. Runs nothing."""
