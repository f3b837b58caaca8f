"""Parallel processing: a WaitGroup tells when all are done, a channel what went wrong."""

from __future__ import annotations

from panicguard import mruntime

Errors = mruntime.Channel[str]


def check(number: str, errors: Errors) -> None:
    try:
        int(number)
    except ValueError as error:
        errors.send(str(error))


def main() -> None:
    numbers = ["1", "two", "3", "four"]
    errors = Errors(capacity=len(numbers))  # room for all, so that nobody waits for main to receive
    group = mruntime.WaitGroup()
    for number in numbers:
        group.go("check", mruntime.KeepRunning, check, args=(number, errors))
    group.wait()
    errors.close()
    for error in sorted(errors):
        print(error)


if __name__ == "__main__":
    main()

# Prints:
# invalid literal for int() with base 10: 'four'
# invalid literal for int() with base 10: 'two'
