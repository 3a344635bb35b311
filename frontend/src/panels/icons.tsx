import type { JSX } from "preact";
import { isLayoutName, type LayoutName, layoutOf } from "../viewer/layout";

const PATHS = {
  brand: "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M8 1.75v3M8 11.25v3M1.75 8h3M11.25 8h3M8 7.6v.8",
  right: "M6.5 4.5L10 8l-3.5 3.5",
  up: "M4.5 9.5L8 6l3.5 3.5",
  down: "M4.5 6.5L8 10l3.5-3.5",
  check: "M3.5 8.3l3 3 6-6.6",
  search: "M7 2.800a4.200 4.200 0 1 0 0 8.400a4.200 4.200 0 1 0 0-8.400M10.200 10.200l3.300 3.300",
  open: "M8 4.500a3.500 3.500 0 1 0 0 7a3.500 3.500 0 1 0 0-7",
  clock: "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6M8 4.8V8l2.2 1.5",
  warn: "M8 2.5l6 10.5H2zM8 6.7v2.8M8 11.2v.1",
  info: "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6M8 7.3v3.5M8 5.2v.1",
  lock: "M4.7 7h6.6a1.2 1.2 0 0 1 1.2 1.2v3.9a1.2 1.2 0 0 1-1.2 1.2H4.700a1.2 1.2 0 0 1-1.2-1.2V8.200A1.2 1.2 0 0 1 4.700 7M5.500 7V5.200a2.500 2.500 0 0 1 5 0V7",
  select: "M3.5 2.5l9 5-4 1.2-1.8 4z",
  box: "M2.75 4.5a.8.8 0 0 1 .8-.8h8.900a.8.8 0 0 1 .8.8v7a.8.8 0 0 1-.8.8H3.550a.8.8 0 0 1-.8-.8z",
  undo: "M3 6.500h6.500a3.200 3.200 0 0 1 0 6.500H6M3 6.500l2.700-2.700M3 6.500l2.700 2.700",
  redo: "M13 6.500H6.500a3.200 3.200 0 0 0 0 6.500H10M13 6.500l-2.700-2.700M13 6.500l-2.700 2.700",
  keys: "M3.100 4h9.800a1.300 1.300 0 0 1 1.300 1.300v5.600a1.300 1.300 0 0 1-1.300 1.300H3.100a1.300 1.300 0 0 1-1.300-1.300V5.300A1.300 1.300 0 0 1 3.100 4M4.500 6.800h.1M7 6.800h.1M9.500 6.800h.1M11.800 6.800h.1M5.500 9.500h5",
  fit: "M2.500 6V2.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10",
  eye: "M1.800 8S4 3.800 8 3.800 14.200 8 14.200 8 12 12.200 8 12.200 1.800 8 1.800 8zM8 6.200a1.800 1.800 0 1 0 0 3.600a1.800 1.800 0 1 0 0-3.600",
  moon: "M12.800 9.700A5.300 5.300 0 0 1 6.300 3.200a5.300 5.300 0 1 0 6.500 6.500z",
  panel:
    "M3.600 3h8.800a1.300 1.300 0 0 1 1.300 1.300v7.400a1.300 1.300 0 0 1-1.300 1.300H3.600a1.300 1.300 0 0 1-1.300-1.300V4.300A1.300 1.300 0 0 1 3.600 3M10 3v10",
  plus: "M8 3.500v9M3.500 8h9",
  cross: "M4.200 4.200l7.600 7.600M11.800 4.200l-7.600 7.600",
  offline:
    "M5 12.500a3 3 0 0 1-.3-6M6.500 4.300a3.600 3.600 0 0 1 5 3.200 2.500 2.500 0 0 1 1.700 4M2.500 2.500l11 11M5 12.500h6",
  link: "M6.700 9.300l2.600-2.600M7.500 4.700l1-1a2.700 2.700 0 0 1 3.800 3.800l-1 1M8.500 11.300l-1 1a2.700 2.700 0 0 1-3.800-3.800l1-1",
  bin: "M3 4.500h10M6.500 4.500v-2h3v2M4.300 4.500l.6 8.800h6.200l.6-8.800",
  play: "M5 3.200l7.500 4.800L5 12.800z",
  unlink:
    "M6.200 9.800l.9-.9M8.900 7.100l.9-.9M7.500 4.700l1-1a2.700 2.700 0 0 1 3.800 3.800l-1 1M8.500 11.300l-1 1a2.700 2.700 0 0 1-3.800-3.800l1-1M3 3l10 10",
  ellipse:
    "M8 3.800c3.200 0 5.750 1.900 5.750 4.200s-2.550 4.200-5.750 4.200S2.250 10.300 2.250 8 4.800 3.800 8 3.800z",
  polygon: "M8 2.500l5.500 4-2.100 6.500H4.600L2.500 6.500z",
  freehand: "M2.500 11.500c1.500-6 3.500-8 4.700-6.500s-2 5.500-.5 6 2.300-4.500 3.800-4 .2 3.500 3 3",
  brush:
    "M13.300 2.700L7.200 8.800M6.300 8.400a2.400 2.400 0 0 0-2.300 2.400c0 1.300-.9 2-1.800 2.300 2.700.9 6.400.300 6.500-2.300",
  eraser: "M9.500 3.200l3.300 3.300-6.300 6.300H4.800l-2.300-2.300zM6.200 6.500l3.300 3.300M6.500 12.800h6.500",
  line: "M3.500 12.500l9-9M2.200 11.200l2.600 2.600M11.200 2.200l2.600 2.600",
  point: "M8 2.500v3.500M8 10v3.500M2.500 8H6M10 8h3.500M8 8h.1",
  turnRight: "M12.800 8.500a5 5 0 1 1-1.600-4.200M11.700 1.700v2.900H8.800",
  turnLeft: "M3.200 8.500a5 5 0 1 0 1.600-4.200M4.300 1.700v2.900h2.900",
  flipAcross: "M8 2v12M6 4.500v7H2.300zM10 4.500v7h3.700z",
  flipDown: "M2 8h12M4.500 6h7V2.300zM4.500 10h7v3.700z",
  pause: "M5.500 3.500v9M10.500 3.500v9",
} as const;

export type IconName = keyof typeof PATHS | "window" | "invert" | `l${LayoutName}`;

function shapeOf(name: IconName): JSX.Element {
  switch (name) {
    case "window":
      return (
        <>
          <circle cx="8" cy="8" r="5.5" />
          <path d="M8 2.5v11a5.5 5.5 0 0 0 0-11z" fill="currentColor" stroke="none" />
        </>
      );
    case "invert":
      return (
        <>
          <rect x="2.5" y="2.5" width="11" height="11" rx="1.5" />
          <path d="M2.5 13.5l11-11v9.5a1.5 1.5 0 0 1-1.5 1.5z" fill="currentColor" stroke="none" />
        </>
      );
    default:
      return <path d={name in PATHS ? PATHS[name as keyof typeof PATHS] : gridPath(name.slice(1))} />;
  }
}

/** A square with the lines between a layout's cells. */
function gridPath(name: string): string {
  const { rows, columns } = layoutOf(isLayoutName(name) ? name : "1x1");
  const at = (part: number, of: number): string => (2.5 + (11 * part) / of).toFixed(2);
  const down = Array.from({ length: columns - 1 }, (_, i) => `M${at(i + 1, columns)} 2.5v11`);
  const across = Array.from({ length: rows - 1 }, (_, i) => `M2.5 ${at(i + 1, rows)}h11`);
  return ["M2.5 2.5h11v11h-11z", ...down, ...across].join("");
}

/** Stroked with the text's colour; words beside it, or the button's label, say what it means. */
export function Icon({ name, size = "" }: { name: IconName; size?: "" | "sm" | "lg" | "lg acc" }): JSX.Element {
  return (
    <svg class={`ic ${size}`} viewBox="0 0 16 16" aria-hidden="true">
      {shapeOf(name)}
    </svg>
  );
}
