"""The same verbs on other machines, over ssh."""
