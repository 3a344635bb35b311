import type { JSX } from "preact";
import type { Roi } from "../api/types";
import { labelName, lookOf } from "../state/labels";
import type { Session } from "../state/session";

/** Colour and line of a label, for a shape's group. */
export function colours(session: Session, label: string | null): JSX.CSSProperties {
  const look = lookOf(label, session.data.protocol.labels);
  return { "--c": look.colour, "--d": look.dash } as JSX.CSSProperties;
}

/** What is dimmed: every other region while one is under the pointer, on the image or in a list. */
export function dimClass(session: Session, id: string): string {
  const lit = session.hovered.value;
  return lit.size > 0 && !lit.has(id) ? " dim" : "";
}

export function hoverOf(
  session: Session,
  id: string,
): Pick<JSX.SVGAttributes<SVGGElement>, "onPointerEnter" | "onPointerLeave"> {
  return {
    onPointerEnter: () => {
      session.hovered.value = new Set([id]);
    },
    onPointerLeave: () => {
      session.hovered.value = new Set();
    },
  };
}

/** A region's label, for tags. */
export function nameOf(session: Session, roi: Roi): string {
  return labelName(roi.label, session.data.protocol.labels);
}
