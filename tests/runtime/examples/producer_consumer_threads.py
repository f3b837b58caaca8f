"""One producer and two consumers: closing the channel is what ends the consumers."""

from __future__ import annotations

from panicguard import mruntime

Numbers = mruntime.Channel[int]


def produce(numbers: Numbers) -> None:
    try:
        for number in range(1, 6):
            numbers.send(number)
    finally:
        numbers.close()  # after a panic as well, or the consumers would wait forever


def consume(numbers: Numbers, squares: Numbers) -> None:
    for number in numbers:
        squares.send(number * number)


def main() -> None:
    numbers, squares = Numbers(capacity=2), Numbers(capacity=5)
    group = mruntime.WaitGroup()
    group.go("produce", mruntime.KeepRunning, produce, args=(numbers,))
    for _ in range(2):
        group.go("consume", mruntime.KeepRunning, consume, args=(numbers, squares))
    group.wait()
    squares.close()
    print(sorted(squares))


if __name__ == "__main__":
    main()

# Prints:
# [1, 4, 9, 16, 25]
