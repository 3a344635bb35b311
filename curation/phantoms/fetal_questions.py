"""The five FETAL-GAUGE tasks over fetal phantoms: a question, its options, the answer and where its evidence lies.

`ask(task, seed)` gives an `Item`: a `Scene` to draw and a `Question`. Answers go round with the seed, so that any run
of seeds whose length is a multiple of `len(ANSWERS[task])` is balanced; the options' letters are shuffled.

plane (PI): which part is shown; conformity (VC): whether every landmark that the question names is visible;
orientation (FO): the side to which the cavum points; diagnosis (CD): the drawn lesion's class, as the question defines
it; grounding (VG): what lies in the red rectangle.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from curation.phantoms.fetal import FRONTS, LANDMARKS, OUTLINES, SIZE, Lesion, Plane, Scene, Structure, compose, stream

Box = tuple[float, float, float, float]


class Task(StrEnum):
    """FETAL-GAUGE's tasks by their own abbreviations."""

    PLANE = "PI"
    CONFORMITY = "VC"
    ORIENTATION = "FO"
    DIAGNOSIS = "CD"
    GROUNDING = "VG"


# Structures small enough for a rectangle that holds nothing else of the list, and the plane that shows each.
IN_BOXES = {
    "cavum": Plane.HEAD,
    "thalamus": Plane.HEAD,
    "stomach": Plane.ABDOMEN,
    "spine": Plane.ABDOMEN,
    "bone": Plane.FEMUR,
}
ANSWERS: dict[Task, tuple[str, ...]] = {
    Task.PLANE: tuple(Plane),
    Task.CONFORMITY: ("yes", "no"),
    Task.ORIENTATION: FRONTS,
    Task.DIAGNOSIS: tuple(Lesion),
    Task.GROUNDING: tuple(IN_BOXES),
}
MOST_OPTIONS = 4
BOX_MARGIN_PX = 2.0
_CRITERIA = {
    Plane.HEAD: "A standard head plane shows the midline, the cavum and two thalami.",
    Plane.ABDOMEN: "A standard abdominal plane shows the stomach bubble and the spine.",
}


@dataclass(frozen=True)
class Question:
    """A multiple-choice question with everything that is known of it by construction.

    `evidence` holds the structures that decide it: none where the answer is that something is not there at all. Of a
    missing landmark it is the place where it would be (`Structure.is_visible` is False). `box` is the red rectangle of
    the grounding task, None in the others.
    """

    task: Task
    text: str
    options: dict[str, str]
    answer: str
    evidence: tuple[Structure, ...]
    box: Box | None

    @property
    def answer_text(self) -> str:
        """The text of the right option."""
        return self.options[self.answer]


@dataclass(frozen=True)
class Item:
    """A scene and a question about it."""

    scene: Scene
    question: Question


def ask(task: Task, seed: int, *, size: tuple[int, int] = SIZE) -> Item:
    """A picture and its question.

    Parameters
    ----------
    seed
        The right answer is number ``seed % len(ANSWERS[task])`` of `ANSWERS`.
    size
        (height, width) of the picture in pixels.
    """
    answers = ANSWERS[task]
    wanted = answers[seed % len(answers)]
    scene = _scene(task, wanted, seed, size)
    text, evidence = _asked(task, wanted, scene)
    letters, answer = _lettered(answers, wanted, seed)
    box = _boxed(evidence[0], size) if task is Task.GROUNDING else None
    return Item(scene, Question(task, text, letters, answer, evidence, box))


def _scene(task: Task, wanted: str, seed: int, size: tuple[int, int]) -> Scene:
    rng = stream(seed, f"task {task}")
    either = (Plane.HEAD, Plane.ABDOMEN)[rng.integers(2)]
    if task is Task.PLANE:
        return compose(seed, plane=Plane(wanted), size=size)
    if task is Task.CONFORMITY:
        landmarks = LANDMARKS[either]
        missing = None if wanted == "yes" else landmarks[rng.integers(len(landmarks))]
        return compose(seed, plane=either, missing=missing, size=size)
    if task is Task.ORIENTATION:
        missing = (None, None, "midline", "thalamus")[rng.integers(4)]
        return compose(seed, plane=Plane.HEAD, missing=missing, front=wanted, size=size)
    if task is Task.DIAGNOSIS:
        return compose(seed, plane=either, lesion=Lesion(wanted), size=size)
    return compose(seed, plane=IN_BOXES[wanted], missing=None, size=size)


def _asked(task: Task, wanted: str, scene: Scene) -> tuple[str, tuple[Structure, ...]]:
    """The question's words and its evidence."""
    if task is Task.PLANE:
        outline = OUTLINES.get(scene.plane)
        return "Which part does this plane show?", scene.named(outline) if outline else ()
    if task is Task.CONFORMITY:
        shown = LANDMARKS[scene.plane] if scene.missing is None else (scene.missing,)
        evidence = tuple(one for name in shown for one in scene.named(name))
        return f"{_CRITERIA[scene.plane]} Does this image show all of them?", evidence
    if task is Task.ORIENTATION:
        return "The cavum marks the front of the head. To which side does the front point?", scene.named("cavum")
    if task is Task.DIAGNOSIS:
        text = (
            "A bright spot with a smooth edge counts as benign-like, one with spikes as malignant-like, no spot as "
            "normal. Which class does this image show?"
        )
        return text, scene.named("lesion")
    choices = scene.named(wanted)
    return "What lies inside the red rectangle?", (choices[stream(scene.seed, "which").integers(len(choices))],)


def _lettered(answers: tuple[str, ...], wanted: str, seed: int) -> tuple[dict[str, str], str]:
    rng = stream(seed, "letters")
    others = [text for text in answers if text != wanted]
    rng.shuffle(others)
    texts = [wanted, *others[: MOST_OPTIONS - 1]]
    rng.shuffle(texts)
    letters = {letter: str(text) for letter, text in zip("ABCD", texts, strict=False)}
    return letters, next(letter for letter, text in letters.items() if text == wanted)


def _boxed(structure: Structure, size: tuple[int, int]) -> Box:
    """The rectangle around a structure with a little room, on whole pixels."""
    x0, y0, x1, y1 = structure.box
    margin = BOX_MARGIN_PX * min(size) / SIZE[0]
    return (
        float(max(round(x0 - margin), 0)),
        float(max(round(y0 - margin), 0)),
        float(min(round(x1 + margin), size[1])),
        float(min(round(y1 + margin), size[0])),
    )
