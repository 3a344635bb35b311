import type { Session } from "../state/session";

/** Brings the reader to the field of an error's path, such as `steps[2].text` or `steps.image_finding.3`. */
export function goToField(session: Session, path: string): void {
  const field = elementOf(session, path);
  field?.scrollIntoView({ block: "nearest" });
  field?.focus();
}

function elementOf(session: Session, path: string): HTMLElement | null {
  if (path.startsWith("answer")) return find(".answer input:checked, .answer input, .answer textarea");
  if (path.startsWith("confidence")) return find("#confidence");
  const [, list, number] = /^(rois|steps)\[(\d+)\]/.exec(path) ?? [];
  const content = session.store.content.peek();
  if (list === "steps") return text(content.steps[Number(number)]?.id);
  if (path.startsWith("steps.")) return text(session.form.field(path.slice("steps.".length))?.id);
  if (path === "steps") return find(".add-step");
  const roi = content.rois[Number(number)];
  if (list !== "rois" || !roi) return find(".rois");
  session.reveal(roi);
  return find(`[data-roi-row="${CSS.escape(roi.id)}"] :is(select, button)`);
}

function text(id: string | undefined): HTMLElement | null {
  return id === undefined ? null : find(`[data-text="${CSS.escape(id)}"]`);
}

function find(selector: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(selector);
}
