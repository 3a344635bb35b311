import { raw } from "../api/client";
import type { ImageInfo } from "../api/types";
import { extent, type Samples } from "./lut";
import type { Frame } from "./paint";

const MOST_BYTES = 384 * 1024 * 1024;
const MOST_AT_ONCE = 4;

/** Samples of a frame as the server sends them: little-endian, row by row, colour interleaved. */
export function samplesOf(bytes: ArrayBuffer, dtype: string): Samples {
  switch (dtype) {
    case "uint8":
      return new Uint8Array(bytes);
    case "int8":
      return new Int8Array(bytes);
    case "uint16":
      return new Uint16Array(bytes);
    case "int16":
      return new Int16Array(bytes);
    case "uint32":
      return new Uint32Array(bytes);
    case "int32":
      return new Int32Array(bytes);
    default:
      throw new Error(`samples of type ${dtype} cannot be shown`);
  }
}

export function frameOf(bytes: ArrayBuffer, image: ImageInfo, dtype = image.dtype): Frame {
  const samples = samplesOf(bytes, dtype);
  const expected = image.width * image.height * image.channels;
  if (samples.length !== expected) throw new Error(`${samples.length} samples came for ${expected}`);
  const [low, high] = image.channels === 1 ? extent(samples) : [0, 255];
  return { samples, width: image.width, height: image.height, channels: image.channels, low, high };
}

/** Decoded frames by (image, number), the least lately used dropped first; a few requests at a time. */
export class FrameCache {
  private readonly ready = new Map<string, Frame>();
  private readonly asked = new Map<string, Promise<Frame>>();
  private waiting: { key: string; go: () => void }[] = [];
  private running = 0;
  private bytes = 0;
  private readonly api: string;

  constructor(api: string) {
    this.api = api;
  }

  peek(image: ImageInfo, frame: number): Frame | null {
    const key = `${image.sha256}/${frame}`;
    const found = this.ready.get(key);
    if (!found) return null;
    this.ready.delete(key);
    this.ready.set(key, found);
    return found;
  }

  /** A frame to be shown now: it goes before what was only asked for in advance. */
  load(image: ImageInfo, frame: number): Promise<Frame> {
    const asked = this.ask(image, frame);
    const key = `${image.sha256}/${frame}`;
    this.waiting.sort((a, b) => Number(b.key === key) - Number(a.key === key));
    return asked;
  }

  private ask(image: ImageInfo, frame: number): Promise<Frame> {
    const found = this.peek(image, frame);
    if (found) return Promise.resolve(found);
    const key = `${image.sha256}/${frame}`;
    const asked = this.asked.get(key) ?? this.fetch(image, frame, key).finally(() => this.asked.delete(key));
    this.asked.set(key, asked);
    return asked;
  }

  /** The frames that come next, in order; failures stay silent until the frame itself is shown. */
  prefetch(image: ImageInfo, from: number, count: number): void {
    for (let i = 0; i < Math.min(count, image.frames); i += 1) {
      this.ask(image, (from + i) % image.frames).catch(() => undefined);
    }
  }

  private async fetch(image: ImageInfo, frame: number, key: string): Promise<Frame> {
    await this.turn(key);
    try {
      const response = await raw(`${this.api}images/${image.sha256}/frames/${frame}/`, { headers: { Accept: "*/*" } });
      const dtype = response.headers.get("X-Dtype") ?? image.dtype;
      const decoded = frameOf(await response.arrayBuffer(), image, dtype);
      this.keep(key, decoded);
      return decoded;
    } finally {
      this.running -= 1;
      this.waiting.shift()?.go();
    }
  }

  private async turn(key: string): Promise<void> {
    while (this.running >= MOST_AT_ONCE) await new Promise<void>((go) => this.waiting.push({ key, go }));
    this.running += 1;
  }

  private keep(key: string, frame: Frame): void {
    this.ready.set(key, frame);
    this.bytes += frame.samples.byteLength;
    for (const [oldest, old] of this.ready) {
      if (this.bytes <= MOST_BYTES || oldest === key) break;
      this.ready.delete(oldest);
      this.bytes -= old.samples.byteLength;
    }
  }
}
