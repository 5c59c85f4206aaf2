"""Two plants of the shape of public soft-sensor data sets, with processes of our own invention: a debutanizer column (7 inputs)
and a sulfur recovery unit (5 inputs, 2 outputs). Here are their models, their cost, and the limits, in numpy; make_soft_sensors.py
writes the files. A cost is a smooth part and terms that are the largest of several pieces each."""
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler


def net(sizes, seed):
    return MLPRegressor(hidden_layer_sizes=sizes, activation="tanh", solver="lbfgs", alpha=1e-4, max_iter=8000, random_state=seed)


def process(length, seed):
    kernel = ConstantKernel(1.0) * RBF(length)
    return make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, alpha=1e-4, normalize_y=True, random_state=seed))


class Debutanizer:
    name = "debutanizer"
    inputs = {
        "top_temperature": (55, 75), "top_pressure": (4, 6), "reflux_flow": (40, 70), "next_flow": (80, 120),
        "tray_temperature": (92, 122), "bottom_temperature_a": (150, 175), "bottom_temperature_b": (150, 175),
    }
    others = {"duty_price": (25, 60)}
    # largest move of a cycle; also the unit of movement
    decisions = {"top_pressure": 0.6, "reflux_flow": 10, "next_flow": 14, "tray_temperature": 9}
    limits = {"butane": (-np.inf, 0.75), "pentane": (-np.inf, 0.65)}

    @staticmethod
    def truth(u):
        top, pressure, reflux, out, tray, a, b = u.T
        cut = (tray - 107) / 8 - 2.2 * (pressure - 5) + 0.03 * (a + b - 325)
        wash = (reflux - 55) / 9 - (out - 100) / 22
        butane = 0.75 + 0.55 * np.tanh(-0.9 * cut) + 0.3 * np.sin(1.8 * wash + 0.9 * cut) + 0.012 * (160 - a)
        pentane = 0.8 + 0.5 * np.tanh(0.8 * cut - 0.6 * wash) + 0.25 * np.cos(2.2 * cut + 0.6 * wash) + 0.02 * (top - 65)
        duty = 9 + 0.09 * (reflux - 55) + 0.05 * (tray - 107) + 0.04 * (out - 100) + 0.0035 * (reflux - 55) * (tray - 107) + 0.9 * (pressure - 5) ** 2
        return np.c_[butane, pentane, duty]

    # file, outputs, model; a Gaussian process cancels digits that 32 bits do not have
    models = [
        ("butane", ["butane"], lambda: process([2.0] * 7, 1), "double"),
        ("pentane", ["pentane"], lambda: make_pipeline(StandardScaler(), net((12, 8), 2)), "float"),
        ("reboiler_duty", ["reboiler_duty"], lambda: make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge(1e-3)), "float"),
    ]
    noise = np.array([0.01, 0.01, 0.05])

    @staticmethod
    def cost(x, now, y):
        load = x["reflux_flow"] + 0.3 * x["next_flow"]
        smooth = y["reboiler_duty"] * now["duty_price"] - 6 * x["next_flow"]
        score = [-40 + 0 * load, -40 * (100 - load) / 10]
        return smooth, [
            [260 * (y["butane"] - 0.5), -260 * (y["butane"] - 0.5)],
            [0 * load, 420 * (y["pentane"] - 0.4)],
            score,
            [4 * (x["reflux_flow"] - now["reflux_flow"]), -4 * (x["reflux_flow"] - now["reflux_flow"])],
        ]


class Sulfur:
    name = "sulfur"
    inputs = {"gas_mea": (26, 44), "air_mea": (48, 92), "air_secondary": (2, 12), "gas_sws": (4, 11), "air_sws": (8, 26)}
    others = {"margin": (2, 6)}
    decisions = {"gas_mea": 4, "air_mea": 10, "air_secondary": 5, "air_sws": 7}
    limits = {"h2s": (-np.inf, 0.8), "so2": (-np.inf, 0.42), "furnace_temperature": (1040, 1310)}

    @staticmethod
    def truth(u):
        gas, air, second, sws, air_sws = u.T
        lack = 2.05 * gas + 1.9 * sws - air - 0.9 * second - 0.75 * air_sws
        swing = 0.16 * np.sin(0.75 * (air_sws - 1.6 * sws)) + 0.12 * np.cos(1.1 * second)
        h2s = 0.62 + 0.5 * np.tanh(lack / 9) + swing + 0.004 * (gas - 35) ** 2 / 2
        so2 = 0.34 - 0.28 * np.tanh((lack - 2) / 8) + 0.6 * swing * np.tanh(lack / 12)
        temperature = 1180 - 6 * lack + 4 * (second - 7) - 3 * (sws - 7) + 45 * np.sin(0.16 * (air - 2 * gas))
        return np.c_[h2s, so2, temperature]

    models = [
        ("tail_gas", ["h2s", "so2"], lambda: net((16, 12), 4), "double"),
        ("furnace", ["furnace_temperature"], lambda: process([1.5] * 5, 3), "double"),
    ]
    # these scalers stand beside the model in a file of their own
    scaled = {"tail_gas": MinMaxScaler}
    noise = np.array([0.01, 0.006, 4.0])

    @staticmethod
    def cost(x, now, y):
        off = y["h2s"] - 2 * y["so2"]
        air = x["air_mea"] + x["air_secondary"] + x["air_sws"]
        smooth = 0.25 * air - now["margin"] * x["gas_mea"]
        heat = y["furnace_temperature"]
        return smooth, [
            [90 * off, -90 * off],
            [0 * off, 160 * (y["h2s"] + y["so2"] - 0.85)],
            [-30 + 0 * heat, -30 * (1290 - heat) / 60, -30 * (heat - 1050) / 40],
        ]


class Fitted:
    """The models of a plant as one function of a batch of input rows, in float64."""

    def __init__(self, plant):
        self.plant = plant
        random = np.random.default_rng(11)
        low, high = np.array(list(plant.inputs.values()), dtype=float).T
        # a third of the points is where Gaussian processes can afford to be
        self.rows = random.uniform(low, high, (900, len(low)))
        targets = plant.truth(self.rows) + plant.noise * random.standard_normal((900, len(plant.noise)))
        self.models, self.scalers, self.fits = [], {}, []
        at = 0
        for file, outputs, make, _ in plant.models:
            wanted = targets[:, at:at + len(outputs)]
            at += len(outputs)
            rows, scaler = self.rows, None
            if file in getattr(plant, "scaled", {}):
                scaler = [plant.scaled[file]().fit(rows), plant.scaled[file]().fit(wanted)]
                rows, wanted = scaler[0].transform(rows), scaler[1].transform(wanted)
            count = 300 if "gaussianprocessregressor" in getattr(make(), "named_steps", {}) else len(rows)
            model = make().fit(rows[:count], wanted[:count].ravel() if len(outputs) == 1 else wanted[:count])
            self.models.append(model)
            self.scalers[file] = scaler
            self.fits.append((model, scaler, len(outputs)))

    def __call__(self, rows):
        parts = []
        for model, scaler, count in self.fits:
            y = value(model, rows if scaler is None else scaler[0].transform(rows)).reshape(len(rows), count)
            parts.append(y if scaler is None else scaler[1].inverse_transform(y))
        return np.concatenate(parts, axis=1)


def value(model, rows):
    """model.predict without what it checks, which takes ten times as long."""
    steps = getattr(model, "steps", None)
    if steps is not None:
        for _, step in steps[:-1]:
            rows = (rows - step.mean_) / step.scale_ if isinstance(step, StandardScaler) else np.stack([np.prod(rows ** p, axis=1) for p in step.powers_], axis=1)
        model = steps[-1][1]
    if isinstance(model, MLPRegressor):
        for k, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_)):
            rows = rows @ weight + bias
            if k < len(model.coefs_) - 1:
                rows = np.tanh(rows)
        return rows
    if isinstance(model, Ridge):
        return rows @ model.coef_ + model.intercept_
    length, amplitude = model.kernel_.k2.length_scale, model.kernel_.k1.constant_value
    a, b = rows / length, model.X_train_ / length
    square = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T
    return (amplitude * np.exp(-square / 2) @ model.alpha_) * model._y_train_std + model._y_train_mean
