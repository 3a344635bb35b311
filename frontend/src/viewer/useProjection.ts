import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { matrixOf, type View } from "./transform";

/** Above this many shapes a pan or zoom moves the painted layer, and after a zoom shapes are painted anew. */
const MANY = 100;
const SETTLE_MS = 140;

export interface Projection {
  isMany: ReadonlySignal<boolean>;
  /** The view that shapes and tags are painted for. */
  view: ReadonlySignal<View>;
  matrix: ReadonlySignal<string>;
  /** What the painted layer is moved by until then, as a CSS transform. */
  shift: ReadonlySignal<string>;
}

/** The CSS transform that takes what was painted for one view to another one of the same orientation. */
export function shiftBetween(painted: View, now: View): string {
  const factor = now.scale / painted.scale;
  const [x, y] = [now.x - factor * painted.x, now.y - factor * painted.y];
  return x === 0 && y === 0 && factor === 1 ? "none" : `translate(${x}px, ${y}px) scale(${factor})`;
}

/** Few shapes follow the view at once; many are moved as one picture, which costs the same however many they are. */
export function useProjection(now: ReadonlySignal<View>, aspect: number, count: ReadonlySignal<number>): Projection {
  const settled = useSignal(now.peek());
  const isMany = useComputed(() => count.value > MANY);
  const view = useComputed(() => {
    const { turn, flip } = settled.value;
    const isKept = isMany.value && turn === now.value.turn && flip === now.value.flip;
    return isKept ? settled.value : now.value;
  });
  useSignalEffect(() => {
    const next = now.value;
    // A layer that is only panned stays as sharp as it was.
    if (!isMany.value || next.scale === settled.peek().scale) return;
    const timer = setTimeout(() => {
      settled.value = next;
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  });
  const matrix = useComputed(() => `matrix(${matrixOf(view.value, aspect).join(" ")})`);
  const shift = useComputed(() => shiftBetween(view.value, now.value));
  return { isMany, view, matrix, shift };
}
