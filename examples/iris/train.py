"""Multinomial logistic regression on Fisher's iris data, in plain Python.

Trains on four fifths of the flowers, tests on the rest, and prints its metrics as `name=value`, which is
the form that Slipway reads from a log. The same seed gives the same numbers, everywhere.
"""

import argparse
import csv
import math
import random
from pathlib import Path

DATA = Path(__file__).with_name("iris.csv")
SPECIES = ["setosa", "versicolor", "virginica"]


def load():
    """The rows of iris.csv as (four measurements in cm, index of the species)."""
    with DATA.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [([float(cell) for cell in row[:4]], SPECIES.index(row[4])) for row in rows]


def check(flowers):
    """Refuses data that isn't Fisher's: 150 flowers, 50 of each species, and the published means."""
    counts = [sum(1 for _, species in flowers if species == one) for one in range(3)]
    means = [round(sum(cells[column] for cells, _ in flowers) / len(flowers), 3) for column in range(4)]
    if counts != [50, 50, 50] or means != [5.843, 3.057, 3.758, 1.199]:
        raise SystemExit(f"{DATA} is not the iris data: {counts} flowers, means {means}")
    print(f"{len(flowers)} flowers, 50 of each of {', '.join(SPECIES)}")


def split(flowers, seed):
    """Ten flowers of each species to test with, the other forty to learn from."""
    train, test = [], []
    for species in range(3):
        group = [flower for flower in flowers if flower[1] == species]
        random.Random(seed + species).shuffle(group)
        test += group[:10]
        train += group[10:]
    return train, test


def standardised(flowers, like):
    """Each measurement as distance from the mean of `like` in standard deviations, with a 1 before it for the bias."""
    columns = list(zip(*(cells for cells, _ in like)))
    means = [sum(column) / len(column) for column in columns]
    deviations = [
        math.sqrt(sum((cell - mean) ** 2 for cell in column) / len(column))
        for column, mean in zip(columns, means)
    ]
    return [
        ([1.0] + [(cell - mean) / deviation for cell, mean, deviation in zip(cells, means, deviations)], species)
        for cells, species in flowers
    ]


def probabilities(weights, cells):
    """Softmax over one score for each species."""
    scores = [sum(weight * cell for weight, cell in zip(row, cells)) for row in weights]
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def accuracy(weights, flowers):
    right = 0
    for cells, species in flowers:
        chances = probabilities(weights, cells)
        right += chances.index(max(chances)) == species
    return right / len(flowers)


def learn(flowers, epochs, rate):
    """Gradient descent over all flowers at once; prints the mean loss ten times on the way."""
    weights = [[0.0] * 5 for _ in SPECIES]
    for epoch in range(1, epochs + 1):
        loss = 0.0
        gradient = [[0.0] * 5 for _ in SPECIES]
        for cells, species in flowers:
            chances = probabilities(weights, cells)
            loss -= math.log(chances[species])
            for one, chance in enumerate(chances):
                error = chance - (one == species)
                row = gradient[one]
                for column, cell in enumerate(cells):
                    row[column] += error * cell
        for row, slopes in zip(weights, gradient):
            for column, slope in enumerate(slopes):
                row[column] -= rate * slope / len(flowers)
        if epoch % max(1, epochs // 10) == 0:
            trained = accuracy(weights, flowers)
            print(f"epoch={epoch} loss={loss / len(flowers):.4f} train_accuracy={trained:.4f}", flush=True)
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=0.5, help="learning rate")
    parser.add_argument("--seed", type=int, default=7, help="of the split into training and test flowers")
    parser.add_argument("--check", action="store_true", help="only verify the data")
    options = parser.parse_args()

    flowers = load()
    check(flowers)
    if options.check:
        return
    train, test = split(flowers, options.seed)
    weights = learn(standardised(train, train), options.epochs, options.rate)
    print(f"test_flowers={len(test)}")
    print(f"accuracy={accuracy(weights, standardised(test, train)):.4f}")


if __name__ == "__main__":
    main()
