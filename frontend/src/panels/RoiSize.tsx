import type { JSX } from "preact";
import type { ImageInfo, Roi } from "../api/types";
import { ellipsePerimeter, extentOf } from "../geometry/size";
import { roiNumber } from "../state/labels";
import type { Session } from "../state/session";

/** Only what the file gives for the patient's own plane counts as millimetres. */
function spacingOf(image: ImageInfo): [number, number] | null {
  return image.spacing_source === "ImagerPixelSpacing" ? null : image.spacing_mm;
}

function figure(value: number): string {
  return value.toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function sizeOf(roi: Roi, image: ImageInfo): string {
  const spacing = spacingOf(image);
  const unit = spacing ? "mm" : "px";
  const [width, height] = extentOf(roi, spacing ?? [1, 1]);
  const size = `${figure(width)} × ${figure(height)}\u00a0${unit}`;
  if (roi.shape !== "ellipse") return size;
  return `${size}, ${figure(ellipsePerimeter(roi.geometry, spacing ?? [1, 1]))}\u00a0${unit} around`;
}

/** How large the selected region is, and whether sizes here can be millimetres at all. */
export function RoiSize({ session }: { session: Session }): JSX.Element | null {
  const rois = session.rois.value;
  const roi = rois.find(({ id }) => id === session.selected.value);
  const image = session.image(roi?.image ?? session.cell().image.value);
  const isMeasured = session.data.protocol.kind === "fetal_gauge";
  const hasSize = roi && !["point", "line", "mask"].includes(roi.shape);
  if (!image || (!isMeasured && !hasSize)) return null;
  const spacing = spacingOf(image);
  return (
    <p class="roi-size t3 num" data-testid="roi-size">
      {roi && hasSize && <span>{`ROI ${roiNumber(rois, roi.id)}: ${sizeOf(roi, image)}`}</span>}
      {isMeasured && (
        <span class="end">{spacing ? `${spacing[1].toFixed(3)}\u00a0mm a pixel` : "no spacing: sizes in px"}</span>
      )}
    </p>
  );
}
