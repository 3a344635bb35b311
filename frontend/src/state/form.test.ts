import { computed, signal } from "@preact/signals";
import { beforeEach, describe, expect, it } from "vitest";
import type { ImageInfo, Protocol, Roi } from "../api/types";
import { citing, matches } from "./citing";
import { Form } from "./form";
import { missing, wanted } from "./required";
import { EMPTY_CONTENT, Store } from "./store";

const image = (number: number) => ({ number }) as ImageInfo;
const IMAGES = [image(1), image(2), image(3)];
const PROTOCOL: Protocol = {
  kind: "medthinkvqa",
  labels: [],
  step_kinds: ["image_finding", "summary", "differential", "answer"],
  required: ["answer", "image_findings", "summary", "differential", "step_text"],
};
const roi = (id: string, of: number): Roi => ({
  id,
  image: of,
  frame: 0,
  label: null,
  shape: "box",
  geometry: { x0: 1, y0: 2, x1: 3, y1: 4 },
  origin: "manual",
});

let store: Store;
let activeStep = signal<string | null>(null);
let form: Form;

const open = (protocol = PROTOCOL): void => {
  store = new Store();
  activeStep = signal<string | null>(null);
  form = new Form({ protocol, store, images: computed(() => IMAGES), activeStep });
};
const write = (path: string, text: string): void => {
  const row = form.field(path);
  if (row) form.write(row, text);
};
const kinds = (): string[] => store.content.value.steps.map((step) => `${step.kind} ${step.image ?? ""}`.trim());

describe("the fields of a structured reading", () => {
  beforeEach(() => open());

  it("come in the protocol's order whatever is written first", () => {
    write("differential", "B rather than A");
    write("image_finding.3", "c");
    write("image_finding.1", "a");
    write("summary", "s");
    expect(kinds()).toEqual(["image_finding 1", "image_finding 3", "summary", "differential"]);
    expect(form.rows.value?.map((row) => row.key)).toEqual([
      "image_finding-1",
      "image_finding-2",
      "image_finding-3",
      "summary",
      "differential",
      "answer",
    ]);
    expect(form.findings()).toEqual({ done: 2, of: 3 });
  });

  it("keep their id when their step comes and goes with the text", () => {
    const id = form.field("summary")?.id;
    write("summary", "x");
    expect(store.content.value.steps[0]?.id).toBe(id);
    write("summary", "");
    expect(store.content.value.steps).toEqual([]);
    expect(form.field("summary")?.id).toBe(id);
  });

  it("take a region drawn while they are active, and stay of their image", () => {
    activeStep.value = form.field("image_finding.2")?.id ?? null;
    form.add(roi("r1", 3));
    expect(store.content.value.steps).toMatchObject([{ kind: "image_finding", image: 2, evidence: ["r1"] }]);
    store.undo();
    expect(store.content.value).toEqual(EMPTY_CONTENT);
  });

  it("lose their step with its last citation if nothing is said in it", () => {
    activeStep.value = form.field("answer")?.id ?? null;
    form.add(roi("r1", 1));
    form.toggle(activeStep.value ?? "", "r1");
    expect(store.content.value.steps).toEqual([]);
    expect(store.content.value.rois).toHaveLength(1);
  });

  it("leave no written step out, whatever its kind", () => {
    store.load({ ...EMPTY_CONTENT, steps: [{ ...step("free", null), id: "f" }, step("image_finding", 9)] }, "REMOTE");
    expect(form.rows.value?.slice(-2).map((row) => row.slot)).toEqual([null, null]);
  });

  it("follow the image from finding to finding; a summary is only left when asked", () => {
    form.follow(1, false);
    expect(form.row(activeStep.value)?.key).toBe("image_finding-1");
    form.follow(2, false);
    expect(form.row(activeStep.value)?.key).toBe("image_finding-2");
    activeStep.value = form.field("summary")?.id ?? null;
    form.follow(3, false);
    expect(form.row(activeStep.value)?.key).toBe("summary");
    form.follow(3, true);
    expect(form.row(activeStep.value)?.key).toBe("image_finding-3");
  });

  it("are none where steps are a free list", () => {
    open({ ...PROTOCOL, kind: "free" });
    expect(form.rows.value).toBeNull();
    expect(form.findings()).toBeNull();
  });
});

function step(kind: "free" | "image_finding", of: number | null) {
  const rest = { regions: [], is_critical: null, confidence: null, topic: null, state: null };
  return { id: `${kind}-${of}`, kind, image: of, text: "x", evidence: [], ...rest };
}

describe("what a protocol asks for", () => {
  beforeEach(() => open());
  const asked = { task: "", images: IMAGES };

  it("names the field of each finding that lacks, and a step only once", () => {
    write("image_finding.2", "b");
    write("image_finding.1", " ");
    const paths = missing(store.content.value, PROTOCOL.required, asked).map(({ path }) => path);
    expect(paths).toEqual(["steps[0].text", "steps.image_finding.3", "steps.summary", "steps.differential", "answer"]);
  });

  it("wants a region of a grounding question alone", () => {
    const names = (task: string): string[] =>
      wanted(EMPTY_CONTENT, ["answer", "task_rois"], { ...asked, task }).map(({ name }) => name);
    expect(names("VG")).toEqual(["task_rois", "answer"]);
    expect(names("PI")).toEqual(["answer"]);
  });
});

describe("[[ in a text", () => {
  it("is open up to the caret, on one line", () => {
    expect(citing("mass [[ri and", 9)).toEqual({ from: 5, to: 9, query: "ri" });
    expect(citing("mass [[1]] and", 14)).toBeNull();
    expect(citing("mass [[\n", 8)).toBeNull();
    expect(citing("mass [", 6)).toBeNull();
  });

  it("offers by number, label and shape", () => {
    const labels = [{ id: "e", name: "Effusion", colour: "#fff", line_style: "solid", shapes: [], key: null }];
    const rois = [roi("a", 1), { ...roi("b", 2), label: "e" }];
    const ids = (query: string): string[] => matches(rois, labels, query).map(({ id }) => id);
    expect(ids("")).toEqual(["a", "b"]);
    expect(ids("2")).toEqual(["b"]);
    expect(ids("EFF")).toEqual(["b"]);
    expect(ids("box")).toEqual(["a", "b"]);
    expect(ids("zzz")).toEqual([]);
  });
});
