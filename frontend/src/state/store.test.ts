import { describe, expect, it } from "vitest";
import type { Roi } from "../api/types";
import { addRoi, addStep, cite, deleteRoi, moveStep, newStep, setAnswer } from "./edits";
import { missing } from "./required";
import { EMPTY_CONTENT, Store } from "./store";

const NO_TASK = { task: "", images: [] };

const roi = (id: string): Roi => ({
  id,
  image: 1,
  frame: 0,
  label: null,
  shape: "box",
  geometry: { x0: 1, y0: 2, x1: 3, y1: 4 },
  origin: "manual",
});

describe("one undo stack over everything", () => {
  it("takes back shapes, links, order and answers in reverse, and redoes them", () => {
    const store = new Store();
    store.change((c) => addStep(c, newStep("s1", "image_finding", 1)));
    store.change((c) => addStep(c, newStep("s2", "summary", 1)));
    store.change((c) => addRoi(c, roi("r1"), "s1"));
    store.change((c) => moveStep(c, "s2", -1));
    store.change((c) => setAnswer(c, { choice: "B" }));
    const last = store.content.value;
    expect(last.steps.map((step) => [step.id, step.evidence])).toEqual([
      ["s2", []],
      ["s1", ["r1"]],
    ]);
    for (let i = 0; i < 5; i += 1) store.undo();
    expect(store.content.value).toEqual(EMPTY_CONTENT);
    expect(store.canUndo).toBe(false);
    for (let i = 0; i < 5; i += 1) store.redo();
    expect(store.content.value).toEqual(last);
  });

  it("takes letters typed in one field as one change until sealed", () => {
    const store = new Store();
    const type = (text: string) => store.change((c) => setAnswer(c, { text }), "answer");
    type("a");
    type("ab");
    store.seal();
    type("abc");
    store.undo();
    expect(store.content.value.answer).toEqual({ text: "ab" });
    store.undo();
    expect(store.content.value.answer).toBeNull();
  });

  it("drops what could be redone when something new is done", () => {
    const store = new Store();
    store.change((c) => setAnswer(c, { choice: "A" }));
    store.undo();
    store.change((c) => setAnswer(c, { choice: "B" }));
    expect(store.canRedo).toBe(false);
  });

  it("tells listeners who changed it and forgets its history on load", () => {
    const store = new Store();
    const heard: string[] = [];
    store.listen((_content, source) => heard.push(source));
    store.change((c) => setAnswer(c, { choice: "A" }));
    store.load(EMPTY_CONTENT, "REMOTE");
    expect(heard).toEqual(["LOCAL", "REMOTE"]);
    expect(store.canUndo).toBe(false);
  });

  it("takes a cancelled drag back so that it cannot be redone", () => {
    const store = new Store();
    store.change((c) => setAnswer(c, { choice: "A" }));
    store.change((c) => setAnswer(c, { choice: "B" }), "drag");
    store.change((c) => setAnswer(c, { choice: "C" }), "drag");
    store.takeBack();
    expect(store.content.value.answer).toEqual({ choice: "A" });
    expect([store.canUndo, store.canRedo]).toEqual([true, false]);
  });
});

describe("edits", () => {
  it("leaves no citation of a deleted ROI", () => {
    let content = addStep(EMPTY_CONTENT, newStep("s1", "free", 1));
    content = addRoi(addRoi(content, roi("r1"), "s1"), roi("r2"), "s1");
    expect(deleteRoi(content, "r1").steps[0]?.evidence).toEqual(["r2"]);
  });

  it("cites once and does not move the first step further up", () => {
    const content = addRoi(addStep(EMPTY_CONTENT, newStep("s1", "free", 1)), roi("r1"), "s1");
    expect(cite(content, "s1", "r1")).toBe(content);
    expect(moveStep(content, "s1", -1)).toBe(content);
  });

  it("moves a finding to the image of its first region, and no further", () => {
    let content = addStep(EMPTY_CONTENT, newStep("s1", "image_finding", 1));
    content = addRoi(content, { ...roi("r1"), image: 3 }, "s1");
    expect(content.steps[0]?.image).toBe(3);
    content = addRoi(content, { ...roi("r2"), image: 2 }, "s1");
    expect(content.steps[0]?.image).toBe(3);
  });
});

describe("required fields", () => {
  it("names each lacking field by its path", () => {
    const content = addRoi(addStep(EMPTY_CONTENT, newStep("s1", "free", 1)), roi("r1"), null);
    const asked = ["answer", "confidence", "label", "step_text", "evidence"];
    const paths = missing(content, asked, NO_TASK).map((one) => one.path);
    expect(paths).toEqual(["rois[0].label", "steps[0].text", "steps[0].evidence", "answer", "confidence"]);
    expect(missing({ ...EMPTY_CONTENT, confidence: 0.5 }, [], NO_TASK)).toEqual([]);
    expect(missing(EMPTY_CONTENT, [], NO_TASK).map((one) => one.path)).toEqual(["answer"]);
  });
});
