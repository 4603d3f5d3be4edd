"""Reviews that others ask for: git and pre-commit by a hook, the jobs of GitHub and GitLab."""
