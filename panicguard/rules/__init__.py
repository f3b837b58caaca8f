"""The rules, one file each. `panicguard.rule` finds them by their being here."""
