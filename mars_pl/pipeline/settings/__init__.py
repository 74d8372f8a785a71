"""Which YAMLs make a stage, what they come to, and where they and weights lie."""
