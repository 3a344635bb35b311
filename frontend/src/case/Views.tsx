// The same image twice at the same zoom: the expert's regions left, the model's map right.
import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { ImageInfo, Roi } from "../api/types";
import { bounds } from "../geometry/shapes";
import { pixelAspect } from "../viewer/transform";
import { contourPath, placeOf, timesAverage } from "./heat";
import { Inset, windowOf } from "./Inset";
import { heatPicture } from "./picture";
import { heat, image, isSmooth, layer, opacity, place, prediction, reading, targets } from "./state";

function Picture({ info, frame }: { info: ImageInfo; frame: number }) {
  return (
    <image
      href={`/api/v1/images/${info.sha256}/frames/${frame}/?format=png`}
      width={info.width}
      height={info.height}
      preserveAspectRatio="none"
    />
  );
}

function Frame({
  info,
  frame,
  label,
  children,
}: {
  info: ImageInfo;
  frame: number;
  label: string;
  children: ComponentChildren;
}) {
  const aspect = pixelAspect(info.spacing_mm);
  const box = `0 0 ${info.width} ${info.height * aspect}`;
  return (
    <svg viewBox={box} preserveAspectRatio="xMidYMid meet" role="img" aria-label={label}>
      <title>{label}</title>
      <g transform={`scale(1 ${aspect})`}>
        <Picture info={info} frame={frame} />
        {children}
      </g>
    </svg>
  );
}

function Outline({ roi, className }: { roi: Roi; className: string }) {
  switch (roi.shape) {
    case "ellipse": {
      const { cx, cy, rx, ry, angle } = roi.geometry;
      const turn = `rotate(${(angle * 180) / Math.PI} ${cx} ${cy})`;
      return <ellipse class={className} cx={cx} cy={cy} rx={rx} ry={ry} transform={turn} />;
    }
    case "polygon":
    case "freehand":
      return <polygon class={className} points={roi.geometry.points.map((point) => point.join(",")).join(" ")} />;
    case "line":
      return <polyline class={className} points={roi.geometry.points.map((point) => point.join(",")).join(" ")} />;
    default: {
      const [x0, y0, x1, y1] = bounds(roi);
      return <rect class={className} x={x0} y={y0} width={x1 - x0} height={y1 - y0} />;
    }
  }
}

/** Colour goes by reader here; numbers tell the regions of one reader apart. */
function Regions({ rois, size }: { rois: { roi: Roi; number: number }[]; size: number }) {
  const at = targets.value.findIndex((row) => row.id === reading.value?.id);
  const style = (Math.max(at, 0) % 8) + 1;
  return (
    <>
      {rois.map(({ roi, number }) => {
        const [x0, y0] = bounds(roi);
        return (
          <g key={roi.id} class={`roi roi-${style}`}>
            <Outline roi={roi} className="halo" />
            <Outline roi={roi} className="edge" />
            <text class="roi-number" x={x0} y={Math.max(y0 - size * 0.012, size * 0.035)} font-size={size * 0.032}>
              {number} {roi.label ?? ""}
            </text>
          </g>
        );
      })}
    </>
  );
}

function Heat() {
  const painted = useComputed(() => {
    if (heat.value === null) return null;
    const values = timesAverage(heat.value);
    return { values, place: placeOf(heat.value.transform), picture: heatPicture(values) };
  });
  if (painted.value === null) return null;
  const { values, place: at, picture } = painted.value;
  const columns = values[0]?.length ?? 1;
  return (
    <>
      <image
        class={isSmooth.value ? "heat" : "heat cells"}
        href={picture}
        x={at.x}
        y={at.y}
        width={at.width}
        height={at.height}
        opacity={opacity.value}
        preserveAspectRatio="none"
      />
      <g transform={`translate(${at.x} ${at.y}) scale(${at.width / columns} ${at.height / values.length})`}>
        <path class="contour" d={contourPath(values)} />
      </g>
    </>
  );
}

function noMapWords(state: string | undefined): string {
  if (state === "done") return "no map: the model was not shown this frame";
  return state === "queued" || state === "running" ? "the map is not there yet" : "no map";
}

export function Views() {
  const info = image.value;
  if (info === null) return null;
  const { frame } = place.value;
  const rois = (reading.value?.rois ?? [])
    .map((roi, index) => ({ roi, number: index + 1 }))
    .filter(({ roi }) => roi.image === info.number && roi.frame === frame);
  const size = Math.max(info.width, info.height);
  const where = `image ${info.number}${info.frames > 1 ? `, frame ${frame + 1} of ${info.frames}` : ""}`;
  const model = prediction.value;
  const small =
    pixelAspect(info.spacing_mm) === 1
      ? windowOf(
          rois.map(({ roi }) => roi),
          info,
        )
      : null;
  const enlarged = { window: small, picture: <Picture info={info} frame={frame} /> };
  return (
    <div class="cmp-images">
      <figure class="view">
        <Frame info={info} frame={frame} label={`Where the expert pointed, ${where}: ${rois.length} regions`}>
          <Regions rois={rois} size={size} />
        </Frame>
        <Inset {...enlarged}>
          <Regions rois={rois} size={0} />
        </Inset>
        <span class="ov tl">
          <b>
            {reading.value?.reader === "Gold"
              ? "Where the gold is"
              : `Where ${reading.value?.reader ?? "the expert"} pointed`}
          </b>
        </span>
        <span class="ov tr">{info.modality}</span>
        <span class="ov bl">
          {rois.length === 0 ? "no ROI on this image" : `${rois.length} ROI${rois.length > 1 ? "s" : ""}`}
        </span>
      </figure>
      <figure class="view">
        <Frame
          info={info}
          frame={frame}
          label={`Where ${model?.model.name ?? "the model"} looked, ${where}, layer ${layer.value}`}
        >
          <Heat />
          <Regions rois={rois} size={size} />
        </Frame>
        <Inset {...enlarged}>
          <Heat />
          <Regions rois={rois} size={0} />
        </Inset>
        <span class="ov tl">
          <b>Where the model looked</b>, layer {layer.value}
        </span>
        {heat.value === null ? (
          <span class="ov bl">{noMapWords(model?.state)}</span>
        ) : (
          <span class="ov bl legend">
            <span class="ramp" />
            <span class="legend-words">
              <i>1× average</i>
              <i>2× dashed</i>
              <i>4×</i>
            </span>
          </span>
        )}
        <span class="ov tr">{heat.value ? `${heat.value.rows} × ${heat.value.columns} cells` : where}</span>
      </figure>
    </div>
  );
}
