"""The screens' backend: gathers what a screen shows from the services that know it."""
