"""The rules, one file each. `panicguard.rule` finds them because they are in this package."""
