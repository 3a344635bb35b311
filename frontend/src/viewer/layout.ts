export type LayoutName = "1x1" | "1x2" | "2x1" | "2x2" | "2x3" | "3x2" | "3x3";

export interface Layout {
  name: LayoutName;
  rows: number;
  columns: number;
  title: string;
}

export const LAYOUTS: readonly Layout[] = [
  { name: "1x1", rows: 1, columns: 1, title: "One image" },
  { name: "1x2", rows: 1, columns: 2, title: "Two side by side" },
  { name: "2x1", rows: 2, columns: 1, title: "Two, one above the other" },
  { name: "2x2", rows: 2, columns: 2, title: "Four images" },
  { name: "2x3", rows: 2, columns: 3, title: "Six, three in a row" },
  { name: "3x2", rows: 3, columns: 2, title: "Six, two in a row" },
  { name: "3x3", rows: 3, columns: 3, title: "Nine images" },
];

export function layoutOf(name: LayoutName): Layout {
  return LAYOUTS.find((layout) => layout.name === name) ?? (LAYOUTS[0] as Layout);
}

export function isLayoutName(name: string): name is LayoutName {
  return LAYOUTS.some((layout) => layout.name === name);
}

/** As many cells as there are images, up to four. */
export function suitedTo(images: number): LayoutName {
  if (images <= 1) return "1x1";
  return images === 2 ? "1x2" : "2x2";
}

/**
 * Image numbers of the cells of a layout: those shown stay where they are, the next images not shown fill the rest, and a
 * cell for which there is no image stays empty (null).
 */
export function fillCells(
  shown: readonly (number | null)[],
  layout: Layout,
  images: readonly number[],
): (number | null)[] {
  const count = layout.rows * layout.columns;
  const kept = shown.slice(0, count);
  const spare = images.filter((number) => !kept.includes(number));
  return Array.from({ length: count }, (_, cell) => kept[cell] ?? spare.shift() ?? null);
}
