"""What pages say of agreement: names of numbers, what they mean, and why one is not defined or stands alone."""

from __future__ import annotations

from annotations.agreement_document import REASONS

NUMBERS = {
    "alpha_nominal": (
        "Krippendorff’s α",
        "1 − observed over expected disagreement, missing readings allowed; 0 is chance",
    ),
    "alpha_ordinal": ("Krippendorff’s α, ordinal", "as α, a difference counts by how far apart two answers stand"),
    "alpha_interval": ("Krippendorff’s α, interval", "as α, a difference counts by its square"),
    "fleiss_kappa": (
        "Fleiss’ κ",
        "agreement beyond chance among all readers; low where one answer is nearly always given",
    ),
    "gwet_ac1": ("Gwet’s AC1", "agreement beyond chance that skewed answers do not press down"),
    "percent_agreement": (
        "Same answer",
        "the share of pairs of readers who gave the same answer; no correction for chance",
    ),
    "same_answer": ("Same answer", "the share of pairs of readers who gave the same answer; no correction for chance"),
    "cohen_kappa": ("Cohen’s κ", "of two readers; of more the mean over pairs (Light)"),
    "cohen_linear": ("Cohen’s κ, linear", "a difference counts by how far apart two answers stand"),
    "cohen_quadratic": ("Cohen’s κ, quadratic", "a difference counts by the square of how far apart two answers stand"),
    "detection_f1": ("Detection F1", "regions found by both, matched from an IoU of 0.5 up"),
    "matched_iou": ("Matched IoU", "mean over matched regions; one that only one of the two drew counts 0"),
    "iou": ("IoU of all regions", "of what both drew on an image taken together"),
    "dice": ("Dice", "of what both drew on an image taken together"),
    "surface_dice": ("Surface Dice", "outlines within 2 mm, or 3 pixels where the file gives no spacing"),
    "hausdorff_mm": ("Hausdorff distance, mm", "the farthest that outlines are apart; 0 is the same; lower is better"),
    "hausdorff_px": ("Hausdorff distance, px", "where the file gives no spacing; lower is better"),
    "step_f1": ("Step F1", "steps aligned by text and shared evidence"),
    "step_order": ("Step order", "whether aligned steps come in the same order; 1 is the same"),
    "critical_f1": ("Critical steps, F1", "of the steps that readers marked as critical"),
    "time_ratio": ("Time, shorter over longer", "of two readers of the same case; 1 is the same time"),
    "attention_ratio": ("Attention ratio", "of a model against this reader’s regions; 1 is chance"),
}
# From here on two coefficients that correct for chance in different ways say different things.
DIVERGES_FROM = 0.15


def words_of(reason: str) -> str:
    """A reason in words; an unknown one as it is."""
    return REASONS.get(reason, reason)


def divergence(kappa: float | None, ac1: float | None) -> str:
    """What to tell where kappa and AC1 part, or nothing.

    Examples
    --------
    >>> divergence(0.7, 0.72), divergence(None, 0.9)
    ('', '')
    >>> divergence(0.1, 0.9).startswith("κ and AC1 part by 0.80")
    True
    """
    if kappa is None or ac1 is None or abs(kappa - ac1) < DIVERGES_FROM:
        return ""
    return (
        f"κ and AC1 part by {abs(kappa - ac1):.2f}. κ falls where one answer is given nearly always, however well "
        "readers agree; AC1 does not. Read both beside the share of equal answers."
    )
