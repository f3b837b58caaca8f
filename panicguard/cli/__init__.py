"""The command line: flags to settings, settings to results, results to a report and an exit code."""
