import { type ReadonlySignal, signal } from "@preact/signals";
import type { ImageInfo } from "../api/types";
import { fillCells, type LayoutName, layoutOf, suitedTo } from "../viewer/layout";
import { isLinkedAtFirst } from "../viewer/linked";
import { type BrushStroke, type Cell, newCell, showIn, type Tool, type Trace } from "./cells";
import { rememberedLayout, rememberLayout } from "./layouts";

/** The viewports of the reading page: what they show, which one is active, and the tool in the hand. */
export abstract class Views {
  readonly tool = signal<Tool>("box");
  readonly layout = signal<LayoutName>("1x1");
  readonly cells = signal<Cell[]>([newCell(null)]);
  readonly activeCell = signal(0);
  /** Zoom, pan, window and frames of one viewport go for all of them. */
  readonly linked = signal(false);
  /** A polygon that is not closed yet. */
  readonly trace = signal<Trace | null>(null);
  /** The brush's width in image pixels; null until it is chosen. */
  readonly brush = signal<number | null>(null);
  /** Where the brush is, and what it has gone over since it was pressed. */
  readonly stroke = signal<BrushStroke | null>(null);
  readonly opened = signal<ReadonlySet<number>>(new Set());
  readonly overlays = signal(true);

  abstract readonly images: ReadonlySignal<ImageInfo[]>;
  protected abstract readonly reader: string;

  image(number: number | null): ImageInfo | null {
    return this.images.value.find((image) => image.number === number) ?? null;
  }

  cell(): Cell {
    return (this.cells.value[this.activeCell.value] ?? this.cells.value[0]) as Cell;
  }

  /** The reader's own choice, kept for cases of as many images. */
  chooseLayout(name: LayoutName): void {
    rememberLayout(this.reader, this.images.peek().length, name);
    this.setLayout(name);
  }

  setLayout(name: LayoutName): void {
    const cells = this.cells.peek();
    const numbers = this.images.peek().map((image) => image.number);
    const layout = layoutOf(name);
    const shown = fillCells(
      cells.map((cell) => cell.image.peek()),
      layout,
      numbers,
    );
    this.cells.value = shown.map((number, index) => {
      const cell = cells[index] ?? newCell(null);
      showIn(cell, number, this.frameIn(cell, number));
      return cell;
    });
    this.layout.value = name;
    this.activeCell.value = Math.min(this.activeCell.peek(), shown.length - 1);
    this.markOpened(shown);
  }

  /** Where a viewport goes on, or the middle of a cine: the frame that models are shown by default. */
  private frameIn(cell: Cell, number: number | null): number {
    if (cell.image.peek() === number) return cell.frame.peek();
    const frames = this.images.peek().find((image) => image.number === number)?.frames ?? 1;
    return Math.floor(frames / 2);
  }

  show(number: number, frame?: number, cellIndex = this.activeCell.peek()): void {
    const cell = this.cells.peek()[cellIndex];
    if (!cell) return;
    showIn(cell, number, frame ?? this.frameIn(cell, number));
    this.activeCell.value = cellIndex;
    this.markOpened([number]);
  }

  /** Viewports of their own for the images of another case. */
  protected openViews(): void {
    const images = this.images.peek();
    this.cells.value = [newCell(null)];
    this.setLayout(rememberedLayout(this.reader, images.length) ?? suitedTo(images.length));
    this.linked.value = isLinkedAtFirst(images);
  }

  protected resetViews(): void {
    this.activeCell.value = 0;
    this.opened.value = new Set();
    this.overlays.value = true;
    this.trace.value = null;
    this.stroke.value = null;
  }

  private markOpened(numbers: readonly (number | null)[]): void {
    const added = numbers.filter((number) => number !== null);
    this.opened.value = new Set([...this.opened.peek(), ...added]);
  }
}
