import type { ImageInfo } from "../api/types";
import type { Windowing } from "./lut";
import { type Frame, paint } from "./paint";
import { matrixOf, pixelAspect, type View } from "./transform";

type Matrix = ReturnType<typeof matrixOf>;

/** Above this many pixels a window drag paints every second or fourth one only. */
const MUCH = 1_500_000;

/** One viewport's pixels: stored samples through a window once, then placed and scaled by the canvas. */
export class Screen {
  private readonly canvas: HTMLCanvasElement;
  private readonly buffer = document.createElement("canvas");
  private painted = "";
  private frame: Frame | null = null;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
  }

  draw(image: ImageInfo, frame: Frame, windowing: Windowing, view: View, isDragging: boolean): void {
    this.repaint(image, frame, windowing, isDragging);
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.canvas.getContext("2d");
    if (!context || width === 0 || height === 0) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    const scale = view.scale * ratio;
    // Far in, a pixel is shown as the square it is; else it is interpolated.
    context.imageSmoothingEnabled = scale < 10;
    context.imageSmoothingQuality = scale < 1 ? "high" : "medium";
    const [a, b, c, d, e, f] = matrixOf(view, pixelAspect(image.spacing_mm)).map((part) => part * ratio) as Matrix;
    context.setTransform(a, b, c, d, e, f);
    context.drawImage(this.buffer, 0, 0, image.width, image.height);
  }

  clear(): void {
    this.painted = "";
    const context = this.canvas.getContext("2d");
    context?.setTransform(1, 0, 0, 1, 0, 0);
    context?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private repaint(image: ImageInfo, frame: Frame, windowing: Windowing, isDragging: boolean): void {
    const pixels = frame.width * frame.height;
    const step = isDragging && pixels > MUCH ? (pixels > 4 * MUCH ? 4 : 2) : 1;
    const { centre, width, invert } = windowing;
    const wanted = `${centre} ${width} ${invert} ${windowing.function} ${windowing.table !== undefined} ${step}`;
    if (this.frame === frame && this.painted === wanted) return;
    const context = this.buffer.getContext("2d", { alpha: false });
    if (!context) return;
    const [columns, rows] = [Math.ceil(frame.width / step), Math.ceil(frame.height / step)];
    if (this.buffer.width !== columns || this.buffer.height !== rows) {
      this.buffer.width = columns;
      this.buffer.height = rows;
    }
    const data = context.createImageData(columns, rows);
    paint(frame, image, windowing, new Uint32Array(data.data.buffer), step);
    context.putImageData(data, 0, 0);
    this.frame = frame;
    this.painted = wanted;
  }
}
