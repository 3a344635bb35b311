// The layer slider is the plot of the attention ratio over layers, with the null range behind it.

import { LayerNumbers } from "./LayerNumbers";
import { judge, written } from "./numbers";
import { chosenLayer, layer, prediction, scoreOf, whyNoNumber } from "./state";

const WIDTH = 640;
const HEIGHT = 132;
const LEFT = 40;
const RIGHT = 16;
const TOP = 10;
const BOTTOM = 24;
const LOWEST = 0.25;

interface Point {
  layer: number;
  value: number | null;
  p95: number | null;
  isOut: boolean;
}

function points(count: number): Point[] {
  return Array.from({ length: count }, (_, at) => {
    const score = scoreOf("attention_ratio", at);
    const verdict = judge(score?.value ?? null, score?.nulls ?? null).verdict;
    return {
      layer: at,
      value: score?.value ?? null,
      p95: score?.nulls?.moved?.p95 ?? null,
      isOut: verdict === "grounded",
    };
  });
}

/** log2 scale: twice and half lie as far from chance. */
function scale(rows: Point[]): { y: (value: number) => number; ticks: number[] } {
  const values = rows.flatMap((row) => [row.value, row.p95]).filter((value): value is number => value !== null);
  const top = Math.max(4, 2 ** Math.ceil(Math.log2(Math.max(...values, 1))));
  const span = Math.log2(top) - Math.log2(LOWEST);
  const y = (value: number) =>
    TOP + ((Math.log2(top) - Math.log2(Math.max(value, LOWEST))) / span) * (HEIGHT - TOP - BOTTOM);
  const ticks: number[] = [];
  for (let tick = LOWEST; tick <= top; tick *= 2) ticks.push(tick);
  return { y, ticks: ticks.length > 6 ? ticks.filter((_, index) => index % 2 === 0) : ticks };
}

function Lines({ rows, x, y }: { rows: Point[]; x: (at: number) => number; y: (value: number) => number }) {
  const banded = rows.filter((row) => row.p95 !== null);
  const floor = y(LOWEST);
  const band = banded.map((row) => `${x(row.layer)},${y(row.p95 ?? LOWEST)}`);
  const first = banded[0];
  const last = banded.at(-1);
  const line = rows.filter((row) => row.value !== null).map((row) => `${x(row.layer)},${y(row.value ?? LOWEST)}`);
  return (
    <>
      {first && last && (
        <polygon class="plot-null" points={`${x(first.layer)},${floor} ${band.join(" ")} ${x(last.layer)},${floor}`} />
      )}
      <line class="plot-chance" x1={LEFT} x2={WIDTH - RIGHT} y1={y(1)} y2={y(1)} />
      <polyline class="plot-line" points={line.join(" ")} />
      {rows.map(
        (row) =>
          row.value !== null && (
            <circle
              key={row.layer}
              class={row.isOut ? "plot-dot out" : "plot-dot"}
              cx={x(row.layer)}
              cy={y(row.value)}
              r={row.layer === layer.value ? 5 : 3}
            />
          ),
      )}
    </>
  );
}

export function LayerPlot() {
  const count = prediction.value?.model.layers ?? 0;
  if (count === 0 || prediction.value?.state !== "done") return null;
  const rows = points(count);
  const { y, ticks } = scale(rows);
  const x = (at: number) => LEFT + (count === 1 ? 0.5 : at / (count - 1)) * (WIDTH - LEFT - RIGHT);
  const now = rows[layer.value];
  const words = whyNoNumber.value || judge(now?.value ?? null, scoreOf("attention_ratio")?.nulls ?? null).words;
  const centre = scoreOf("attention_ratio")?.nulls?.centre;
  const go = (to: number) => {
    chosenLayer.value = Math.min(Math.max(to, 0), count - 1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowLeft: layer.value - 1,
      ArrowRight: layer.value + 1,
      Home: 0,
      End: count - 1,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  const onPointer = (event: PointerEvent) => {
    if (event.type === "pointermove" && event.buttons !== 1) return;
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    go(Math.round(((at - LEFT) / (WIDTH - LEFT - RIGHT)) * (count - 1)));
  };
  return (
    <div class="layers">
      <div class="row between">
        <span class="sm med" id="layers-title">
          Attention ratio by layer{" "}
          <span class="t3">drag or use arrow keys; filled dots leave the null range (grey)</span>
        </span>
        <span class="sm num">
          layer {layer.value}
          {now && now.value !== null && `: ${written(now.value)}×`}
        </span>
      </div>
      <div
        class="plot-slider"
        role="slider"
        tabIndex={0}
        aria-label="Layer"
        aria-valuemin={0}
        aria-valuemax={count - 1}
        aria-valuenow={layer.value}
        aria-valuetext={`layer ${layer.value}: ${words}`}
        onKeyDown={onKeyDown}
        onPointerDown={onPointer}
        onPointerMove={onPointer}
      >
        <svg class="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
          {ticks.map((tick) => (
            <g key={tick}>
              <line class="plot-grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
              <text class="plot-tick" x={LEFT - 8} y={y(tick) + 4} text-anchor="end">
                {tick}×
              </text>
            </g>
          ))}
          <line class="plot-now" x1={x(layer.value)} x2={x(layer.value)} y1={TOP} y2={HEIGHT - BOTTOM} />
          <Lines rows={rows} x={x} y={y} />
          {centre != null && (
            <g>
              <line class="plot-centre" x1={LEFT} x2={WIDTH - RIGHT} y1={y(centre)} y2={y(centre)} />
              <text class="plot-tick" x={WIDTH - RIGHT} y={y(centre) - 4} text-anchor="end">
                centre map {written(centre)}×
              </text>
            </g>
          )}
          {rows.map(
            (row) =>
              (count <= 12 || row.layer % 5 === 0 || row.layer === count - 1) && (
                <text key={row.layer} class="plot-tick" x={x(row.layer)} y={HEIGHT - 8} text-anchor="middle">
                  {row.layer}
                </text>
              ),
          )}
        </svg>
      </div>
      <LayerNumbers count={count} />
    </div>
  );
}
