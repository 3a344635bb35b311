"""How a weight set is trained, in numbers. Everything counts in steps: the same recipe gives the same run anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from inference.adapters.demo.examples import GENERAL


@dataclass(frozen=True)
class Recipe:
    """One run: the vision model alone on its cells first, then the whole model on questions."""

    attention_form: str = "kl"  # or share
    attention_weight: float = 0.3
    attention_until: float = 1.0  # share of the run after which attention is no longer supervised
    seed: int = 1  # of the first weights and of what each step sees
    data_seed: int = 1
    single_cases: int = 7000
    several_cases: int = 1500  # with two images, and as many with three
    fetal_cases: int = 4000
    fetal_share: float = 0.2  # share of steps on fetal phantoms
    several_share: tuple[float, float, float] = (0.6, 0.25, 0.15)  # share of the other steps with 1, 2 and 3 images
    warm_steps: int = 300
    warm_pictures: int = 64
    warm_rate: float = 1.5e-3
    steps: int = 4000
    pictures: int = 16  # a step, over all its cases
    questions: int = 6  # a case
    rate: float = 1e-3
    vision_rate: float = 1.0  # times `rate`
    cell_weight: float = 0.3
    cell_fade: tuple[float, float] = (0.6, 0.8)  # shares of the run between which the cell loss fades out
    routed: float = 0.5
    letters: float = 0.0  # share of questions with options, answered by a letter
    shares: dict[str, float] = field(
        default_factory=lambda: {
            "size": 0.17,
            "edge": 0.32,  # the last to be learned
            "presence": 0.14,
            "vertical": 0.12,
            "horizontal": 0.18,
            GENERAL: 0.07,
        }
    )

    def scaled(self, by: float) -> Recipe:
        """The same recipe with fewer or more steps and cases, at least one of each that there is."""
        return replace(
            self,
            single_cases=_scaled(self.single_cases, by),
            several_cases=_scaled(self.several_cases, by),
            fetal_cases=_scaled(self.fetal_cases, by),
            warm_steps=_scaled(self.warm_steps, by),
            steps=_scaled(self.steps, by),
        )


def _scaled(count: int, by: float) -> int:
    return max(1, round(count * by)) if count else 0


RECIPES: dict[str, Recipe] = {
    # Six runs of this form were compared on the development seed; this one was the best by a little.
    "trained": Recipe(seed=2, cell_fade=(0.8, 0.95)),
    "share": Recipe(seed=2, attention_form="share"),
}
