"""Trains the models of strategies/debutanizer and strategies/sulfur, draws 60 states of each, and finds the best answer to every
state with SLSQP from 200 random points, in the form with one variable for each largest piece, by means of its own:

    python strategies/make_soft_sensors.py        (scikit-learn, skl2onnx, scipy)

Writes models/*, inputs/states.json, inputs/nominal.json and reference.json: for each state what SLSQP and 20,000 random points
came to: {cost, spread, x}, or where no point holds every limit {violation, x}, relative to max(1, |limit|)."""
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from scipy.optimize import minimize
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

from soft_sensors import Debutanizer, Fitted, Sulfur

HERE = os.path.dirname(os.path.abspath(__file__))
STATES = 60
STARTS = 200
# searches for the least violation where no point of the sample holds
RESTORES = 60
SAMPLE = 20_000
HOLDS = 1e-7


class State:
    """The cost and the limits of one state as functions of z in [0, 1]^n."""

    def __init__(self, fitted, now):
        self.fitted, self.plant, self.now = fitted, fitted.plant, now
        self.names = list(self.plant.decisions)
        moves = np.array(list(self.plant.decisions.values()))
        present = np.array([now[name] for name in self.names])
        least, most = np.array([self.plant.inputs[name] for name in self.names], dtype=float).T
        self.low = np.clip(least, present - moves, present + moves)
        self.high = np.clip(most, present - moves, present + moves)

    def parts(self, z):
        """Rows: the smooth part, every piece of every term, every limited value."""
        z = np.atleast_2d(z)
        points = self.low + (self.high - self.low) * z
        x = {name: points[:, i] for i, name in enumerate(self.names)}
        rows = np.stack([x.get(name, np.full(len(z), self.now[name])) for name in self.plant.inputs], axis=1)
        outputs = [name for _, names, *_ in self.plant.models for name in names]
        y = dict(zip(outputs, self.fitted(rows).T))
        smooth, terms = self.plant.cost(x, self.now, y)
        self.terms = [len(pieces) for pieces in terms]
        limited = [y[name] for name in self.plant.limits]
        return np.stack([smooth, *(piece for pieces in terms for piece in pieces), *limited])

    def judge(self, z):
        parts = self.parts(z)
        cost, at = parts[0].copy(), 1
        for count in self.terms:
            cost += parts[at:at + count].max(axis=0)
            at += count
        violation = np.zeros(len(cost))
        for values, (low, high) in zip(parts[at:], self.plant.limits.values()):
            for excess, bound in ((low - values, low), (values - high, high)):
                if np.isfinite(bound):
                    violation = np.maximum(violation, excess / max(1, abs(bound)))
        return cost, violation

    def slopes(self, z):
        """The parts at z and their central differences."""
        n, h = len(z), 1e-6
        points = np.concatenate([[z], z + h * np.eye(n), z - h * np.eye(n)])
        parts = self.parts(points)
        return parts[:, 0], (parts[:, 1:1 + n] - parts[:, 1 + n:]) / (2 * h)

    def solve(self, begin, elastic):
        """One local solve: min smooth + sum t, or with `elastic` min s where every limit gives by s."""
        n, scale = len(begin), 100.0
        first = self.parts(begin)[:, 0]
        ends = np.cumsum([1, *self.terms])
        starts = [0.0] if elastic else [first[a:b].max() / scale for a, b in zip(ends, ends[1:])]
        v = np.concatenate([begin, starts])
        bounds = [(low, high) for low, high in self.plant.limits.values()]
        memory = {}

        def at(v):
            key = v[:n].tobytes()
            if key not in memory:
                memory.clear()
                memory[key] = self.slopes(v[:n])
            return memory[key]

        def objective(v):
            if elastic:
                return v[n], np.eye(n + 1)[n]
            parts, slopes = at(v)
            return parts[0] / scale + v[n:].sum(), np.concatenate([slopes[0] / scale, np.ones(len(starts))])

        def rows(v):
            parts, slopes = at(v)
            values, jacobian = [], []
            for j, (a, b) in enumerate(zip(ends, ends[1:])):
                for k in range(a, b) if not elastic else ():
                    values.append(v[n + j] - parts[k] / scale)
                    jacobian.append(np.concatenate([-slopes[k] / scale, np.eye(len(starts))[j]]))
            for k, (low, high) in enumerate(bounds):
                for bound, sign in ((low, 1), (high, -1)):
                    if np.isfinite(bound):
                        unit = max(1, abs(bound))
                        values.append(sign * (parts[ends[-1] + k] - bound) / unit + (v[n] if elastic else 0))
                        row = np.zeros(len(v))
                        row[:n] = sign * slopes[ends[-1] + k] / unit
                        row[n] = 1 if elastic else 0
                        jacobian.append(row)
            return np.array(values), np.array(jacobian)

        constraints = {"type": "ineq", "fun": lambda v: rows(v)[0], "jac": lambda v: rows(v)[1]}
        box = [(0, 1)] * n + [(0, None) if elastic else (None, None)] * len(starts)
        found = minimize(objective, v, jac=True, method="SLSQP", bounds=box, constraints=constraints, options={"maxiter": 80, "ftol": 1e-10})
        return np.clip(found.x[:n], 0, 1)


def best_of(job):
    fitted, now, seed = job
    state = State(fitted, now)
    random = np.random.default_rng(seed)
    sample = random.random((SAMPLE, len(state.names)))
    cost, violation = state.judge(sample)
    inside = violation <= HOLDS
    named = lambda z: {name: float(value) for name, value in zip(state.names, state.low + (state.high - state.low) * z)}
    begins = random.random((STARTS, len(state.names)))
    if not inside.any():
        ends = np.array([state.solve(begin, True) for begin in begins[:RESTORES]] + list(sample[np.argsort(violation)[:5]]))
        _, broken = state.judge(ends)
        k = np.argmin(broken)
        if broken[k] > 1e3 * HOLDS:
            return {"violation": float(broken[k]), "x": named(ends[k])}
    ends = np.array([state.solve(begin, False) for begin in begins] + list(sample[np.argsort(np.where(inside, cost, 1e9 + violation))[:5]]))
    found, broken = state.judge(ends)
    good = broken <= HOLDS
    assert good.any(), "nothing holds, and nothing is known of why"
    k = np.argmin(np.where(good, found, np.inf))
    spread = float(np.median(cost[inside] if inside.any() else cost) - found[k])
    return {"cost": float(found[k]), "spread": spread, "x": named(ends[k])}


def export(fitted, folder):
    plant, random = fitted.plant, np.random.default_rng(3)
    low, high = np.array(list(plant.inputs.values()), dtype=float).T
    for (file, outputs, _, kind), model in zip(plant.models, fitted.models):
        tensor = DoubleTensorType if kind == "double" else FloatTensorType
        written = to_onnx(model, initial_types=[("X", tensor([None, len(low)]))], target_opset={"": 17, "ai.onnx.ml": 3})
        with open(f"{folder}/models/{file}.onnx", "wb") as out:
            out.write(written.SerializeToString())
        scaler = fitted.scalers[file]
        rows = random.uniform(low, high, (8, len(low))).astype(np.float32).astype(float)
        inside = rows if scaler is None else scaler[0].transform(rows)
        answers = value_of(model, inside)
        metadata = {"format": "setpoint/model/v1", "ranges": {name: list(ends) for name, ends in plant.inputs.items()}}
        metadata["golden"] = [{"input": list(map(float, row)), "output": list(map(float, y))} for row, y in zip(inside, answers)]
        write(f"{folder}/models/{file}.metadata.json", metadata)
        if scaler is not None:
            entries = {name: {"scale": float(a), "offset": float(b)} for names, each in zip((plant.inputs, outputs), scaler) for name, a, b in zip(names, each.scale_, each.min_)}
            write(f"{folder}/models/{file}.scalers.json", {"format": "setpoint/scalers/v1", "scalers": entries})


def value_of(model, rows):
    y = model.predict(rows)
    return y.reshape(len(rows), -1)


def write(path, value, indent=1):
    with open(path, "w") as out:
        out.write(json.dumps(value, indent=indent) + "\n")


def lines(values):
    return "[\n" + ",\n".join(json.dumps(each) for each in values) + "\n]\n"


def rounded(value):
    return float(f"{value:.5g}")


if __name__ == "__main__":
    for plant in (Debutanizer, Sulfur):
        if sys.argv[1:] and plant.name not in sys.argv[1:]:
            continue
        folder = os.path.join(HERE, plant.name)
        fitted = Fitted(plant())
        export(fitted, folder)
        random = np.random.default_rng(5)
        ranges = {**plant.inputs, **plant.others}
        states = [{name: rounded(random.uniform(low + 0.05 * (high - low), high - 0.05 * (high - low))) for name, (low, high) in ranges.items()} for _ in range(STATES)]
        with ProcessPoolExecutor(3) as pool:
            reference = list(pool.map(best_of, [(fitted, state, k) for k, state in enumerate(states)]))
        for name, values in (("inputs/states.json", states), ("reference.json", reference)):
            with open(f"{folder}/{name}", "w") as out:
                out.write(lines(values))
        write(f"{folder}/inputs/nominal.json", {name: rounded((low + high) / 2) for name, (low, high) in ranges.items()})
        print(plant.name, sum("violation" in each for each in reference), "of", STATES, "cannot hold their limits")
