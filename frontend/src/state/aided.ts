import { computed, type Signal, signal } from "@preact/signals";
import { ApiError, call } from "../api/client";
import type { WorkspaceData } from "../api/types";
import { fetchHeat, type HeatMap, type Prediction } from "../case/data";
import { Session } from "./session";

export interface AidStep {
  id: string;
  number: number;
  text: string;
}

export type AidPrediction = Prediction & { steps: AidStep[] };

/** What models say beside an aided reading: who speaks, and where that one looked, frame by frame. */
export class Aid {
  readonly predictions: Signal<AidPrediction[] | null> = signal(null);
  readonly failure = signal<string | null>(null);
  readonly chosen = signal(0);
  /** Whether the map lies over the images. */
  readonly isMapOn = signal(true);
  readonly prediction = computed(() => this.predictions.value?.[this.chosen.value] ?? null);
  private readonly maps = new Map<string, Signal<HeatMap | null>>();
  private readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  async load(): Promise<void> {
    this.failure.value = null;
    try {
      const body = await call<{ predictions: AidPrediction[] }>(this.address);
      this.predictions.value = body.predictions;
    } catch (error) {
      this.failure.value = error instanceof ApiError ? error.message : String(error);
    }
  }

  /** Whether the model that is chosen was shown this frame. */
  hasMap(image: number, frame: number): boolean {
    return this.prediction.value?.maps.some((one) => one.image === image && one.frame === frame) ?? false;
  }

  /** The map of the chosen model over a frame, fetched once; null while it comes, or where there is none. */
  map(image: number, frame: number): Signal<HeatMap | null> {
    const prediction = this.prediction.value;
    const key = `${prediction?.id ?? ""}:${image}:${frame}`;
    const known = this.maps.get(key);
    if (known) return known;
    const made = signal<HeatMap | null>(null);
    this.maps.set(key, made);
    if (prediction && this.hasMap(image, frame)) {
      const layer = prediction.model.headline_layer;
      fetchHeat({ prediction: prediction.id, image, frame, layer, map: "relative" })
        .then((heat) => {
          made.value = heat;
        })
        .catch(() => this.maps.delete(key));
    }
    return made;
  }
}

/** The reading page over one case in the aided arm: there is no next case, and no lease to keep. */
export class AidedSession extends Session {
  readonly aid: Aid;

  constructor(data: WorkspaceData) {
    super(data);
    const handed = this.handed.peek();
    this.aid = new Aid(`${this.api}readings/${handed?.reading.id}/aid/`);
  }

  override get aided(): Aid {
    return this.aid;
  }

  /** After the submit: the case as it now stands beside the models. */
  override async askNext(): Promise<void> {
    const handed = this.handed.peek();
    location.assign(handed ? `/cases/${handed.case.id}/` : this.data.urls.home);
  }
}
