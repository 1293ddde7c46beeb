"""How a run is converted, proven and timed."""

from __future__ import annotations

from dataclasses import dataclass

from convert.recipes import Recipe, choose_recipes


@dataclass(frozen=True, kw_only=True)
class ConvertSettings:
    """What holds for every file of a conversion.

    Attributes
    ----------
    recipes : tuple of Recipe
        float32 among them: it is what the others are compared with.
    num_calibration_windows : int
        Windows of the training side on which static recipes measure their ranges.
    calibration_seed : int
        Of the choice of these windows.
    skip_unfit : bool
        Leave out a recipe that the model has too few layers for, and say so.
    num_runs, warmup_runs : int
        Of the latency measurement of each file.
    drift : bool
        Whether each file is compared with its float graph, layer by layer.
    loader_thresholds : bool
        Write the thresholds as score calibration too, so that the Task library and MediaPipe apply them.
    """

    recipes: tuple[Recipe, ...] = tuple(choose_recipes(None))
    num_calibration_windows: int = 200
    calibration_seed: int = 0
    skip_unfit: bool = False
    num_runs: int = 200
    warmup_runs: int = 20
    drift: bool = False
    loader_thresholds: bool = False

    def __post_init__(self) -> None:
        for name, least in (
            ("num_calibration_windows", 1),
            ("calibration_seed", 0),
            ("num_runs", 1),
            ("warmup_runs", 0),
        ):
            if getattr(self, name) < least:
                option = name.removeprefix("num_") if "calibration" in name else name
                raise ValueError(f"--{option.replace('_', '-')} is {getattr(self, name)}; expected {least} or more")
