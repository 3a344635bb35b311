import { computed, signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import type { Content, ImageInfo, Roi } from "../api/types";
import { addStep, changeRoi, deleteRoi, deleteStep, moveStep, newStep, setAnswer } from "./edits";
import { Form } from "./form";
import { Store } from "./store";

/** Numbers that look random and are the same in every run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const IMAGES = [1, 2, 3].map((number) => ({ number }) as ImageInfo);

interface Desk {
  store: Store;
  form: Form;
  active: { value: string | null };
}

function desk(kind: "free" | "medthinkvqa", now: () => number): Desk {
  const store = new Store(now);
  const active = signal<string | null>(null);
  const kinds = ["image_finding", "summary", "differential", "answer", "free"] as const;
  const protocol = { kind, labels: [], step_kinds: [...kinds], required: [] };
  return { store, active, form: new Form({ protocol, store, images: computed(() => IMAGES), activeStep: active }) };
}

function box(id: string, image: number, at: number): Roi {
  const geometry = { x0: at, y0: at, x1: at + 5, y1: at + 7 };
  return { id, image, frame: 0, label: null, shape: "box", geometry, origin: "manual" };
}

function polygon(id: string, image: number, at: number): Roi {
  const points: [number, number][] = [
    [at, 0],
    [at + 9, 3],
    [at, 9],
  ];
  return { id, image, frame: 0, label: null, shape: "polygon", geometry: { points }, origin: "manual" };
}

/** One thing that a hand can do, chosen and aimed at random. */
function edit({ store, form, active }: Desk, random: (below: number) => number, serial: number): void {
  const { rois, steps } = store.content.value;
  const roi = rois[random(Math.max(1, rois.length))];
  const step = steps[random(Math.max(1, steps.length))];
  const rows = form.rows.value ?? [];
  const row = rows[random(Math.max(1, rows.length))];
  const acts: (() => void)[] = [
    () => form.add(box(`box-${serial}`, 1 + random(3), random(50))),
    () => form.add(polygon(`polygon-${serial}`, 1 + random(3), random(50))),
    () =>
      roi && store.change((c) => changeRoi(c, roi.id, (one) => ({ ...box(one.id, one.image, random(90)) })), "drag"),
    () => roi && store.change((c) => changeRoi(c, roi.id, (one) => ({ ...one, label: `label-${random(3)}` }))),
    () => roi && store.change((c) => deleteRoi(c, roi.id)),
    () => store.change((c) => addStep(c, newStep(`step-${serial}`, "free", 1))),
    () => step && store.change((c) => moveStep(c, step.id, random(2) ? 1 : -1)),
    () => step && store.change((c) => deleteStep(c, step.id)),
    () => step && roi && form.toggle(step.id, roi.id),
    () => row && form.write(row, "word ".repeat(random(4))),
    () => store.change((c) => setAnswer(c, random(4) ? { choice: "ABCDE".charAt(random(5)) } : null)),
    () => store.change((c) => ({ ...c, confidence: random(21) / 20 }), "confidence"),
    () => store.seal(),
    () => {
      active.value = row?.id ?? step?.id ?? null;
    },
  ];
  acts[random(acts.length)]?.();
}

describe.each(["free", "medthinkvqa"] as const)("undo and redo of anything in a %s reading", (kind) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("lead back to the first and on to the last state (seed %i)", (seed) => {
    const random = numbers(seed);
    let time = 0;
    const all = desk(kind, () => time);
    const { store } = all;
    const first = store.content.value;
    const seen: Content[] = [];
    for (let serial = 0; serial < 300; serial += 1) {
      time += random(4) * 900;
      edit(all, random, serial);
    }
    const last = store.content.value;
    expect(last).not.toEqual(first);
    while (store.canUndo) {
      seen.push(store.content.value);
      store.undo();
    }
    expect(store.content.value).toEqual(first);
    while (store.canRedo) {
      store.redo();
      expect(store.content.value).toEqual(seen.pop());
    }
    expect(store.content.value).toEqual(last);
    expect(seen).toEqual([]);
  });
});

describe("one undo", () => {
  it("is what was typed up to a rest", () => {
    let time = 0;
    const { store, form } = desk("medthinkvqa", () => time);
    const write = (text: string): void => {
      const row = form.field("summary");
      if (row) form.write(row, text);
      time += 300;
    };
    for (const text of ["m", "ma", "mass"]) write(text);
    time += 5000;
    for (const text of ["mass i", "mass in"]) write(text);
    store.undo();
    expect(store.content.value.steps[0]?.text).toBe("mass");
    store.undo();
    expect(store.content.value.steps).toEqual([]);
  });

  it("says what it takes back", () => {
    const { store, form } = desk("medthinkvqa", () => 0);
    form.add(box("r", 1, 3));
    expect(store.undoes).toBe("ROI 1 drawn");
    store.change((c) => changeRoi(c, "r", () => box("r", 1, 4)));
    expect(store.undoes).toBe("ROI 1 moved");
    store.change((c) => setAnswer(c, { choice: "B" }));
    store.undo();
    expect(store.said.value).toBe("Undone: answer");
    expect([store.undoes, store.redoes]).toEqual(["ROI 1 moved", "answer"]);
    store.redo();
    expect(store.said.value).toBe("Done again: answer");
  });

  it("never takes back what came from the server", () => {
    const { store } = desk("free", () => 0);
    store.change((c) => setAnswer(c, { choice: "A" }));
    const theirs = { ...store.content.value, confidence: 0.3 };
    store.load(theirs, "REMOTE");
    store.change((c) => setAnswer(c, { choice: "B" }));
    store.undo();
    store.undo();
    expect(store.content.value).toEqual(theirs);
  });
});
