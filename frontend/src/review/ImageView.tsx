// The image on show: zoomed by wheel, drag and keys.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { pixelAspect } from "../viewer/transform";
import { Layers } from "./Images";
import { image, place, WHOLE, within, zoom, zoomBy } from "./view";

const STEP = 1.4;
const PAN = 0.12;
const KEYS: Record<string, (now: typeof WHOLE) => typeof WHOLE> = {
  "+": (now) => zoomBy(now, STEP, now.x, now.y),
  "=": (now) => zoomBy(now, STEP, now.x, now.y),
  "-": (now) => zoomBy(now, 1 / STEP, now.x, now.y),
  "0": () => WHOLE,
  ArrowLeft: (now) => within({ ...now, x: now.x - PAN / now.scale }),
  ArrowRight: (now) => within({ ...now, x: now.x + PAN / now.scale }),
  ArrowUp: (now) => within({ ...now, y: now.y - PAN / now.scale }),
  ArrowDown: (now) => within({ ...now, y: now.y + PAN / now.scale }),
};

export function ImageView(): JSX.Element | null {
  const info = image.value;
  const surface = useRef<HTMLDivElement>(null);
  const grip = useRef<{ x: number; y: number } | null>(null);
  if (!info) return null;
  const aspect = pixelAspect(info.spacing_mm);
  const { scale, x, y } = zoom.value;
  const [wide, high] = [info.width / scale, (info.height * aspect) / scale];
  const box = `${x * info.width - wide / 2} ${y * info.height * aspect - high / 2} ${wide} ${high}`;
  const label = `Image ${info.number}, ${info.view || info.modality || "image"}`;
  const share = (event: MouseEvent): [number, number] => {
    const at = (surface.current as HTMLDivElement).getBoundingClientRect();
    return [(event.clientX - at.left) / at.width - 0.5, (event.clientY - at.top) / at.height - 0.5];
  };
  return (
    <div
      ref={surface}
      class="view review-view"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: plus, minus, 0 and the arrows move the image
      tabIndex={0}
      aria-label={`${label}. Plus and minus zoom, arrows move, 0 shows all.`}
      onWheel={(event) => {
        // The page scrolls under the pointer; the image zooms once it is chosen.
        if (!event.ctrlKey && document.activeElement !== surface.current) return;
        event.preventDefault();
        const [dx, dy] = share(event);
        const now = zoom.value;
        zoom.value = zoomBy(now, event.deltaY < 0 ? STEP : 1 / STEP, now.x + dx / now.scale, now.y + dy / now.scale);
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        grip.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerMove={(event) => {
        if (!grip.current || !surface.current) return;
        const now = zoom.value;
        const { clientWidth, clientHeight } = surface.current;
        const dx = (event.clientX - grip.current.x) / clientWidth / now.scale;
        const dy = (event.clientY - grip.current.y) / clientHeight / now.scale;
        grip.current = { x: event.clientX, y: event.clientY };
        zoom.value = within({ ...now, x: now.x - dx, y: now.y - dy });
      }}
      onPointerUp={() => {
        grip.current = null;
      }}
      onKeyDown={(event) => {
        const move = KEYS[event.key];
        if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        zoom.value = move(zoom.value);
      }}
    >
      <svg viewBox={box} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
        <g transform={`scale(1 ${aspect})`}>
          <Layers info={info} />
        </g>
      </svg>
      <span class="ov tl">
        <b>{label}</b>
        {info.frames > 1 && `, frame ${place.value.frame + 1} of ${info.frames}`}
      </span>
      {scale > 1 && <span class="ov bl">{scale.toFixed(1)}×</span>}
    </div>
  );
}
