// Regions in a list: each reader's, and at each place what they add up to.
import type { JSX } from "preact";
import type { Roi } from "../api/types";
import { areaText } from "../panels/words";
import { bodySpacing } from "../viewer/measure";
import { board } from "./board";
import type { Place, ReadingSaid } from "./data";
import { addRegion, takeRoi } from "./merge";
import { change, consensus, draft, readings } from "./state";
import { Swatch } from "./Tools";
import { beside, images, labelName, lights, nameOf, roiName, styleOf } from "./view";

function RoiRow({ said, roi, number }: { said: ReadingSaid; roi: Roi; number: number }): JSX.Element {
  const isTaken = draft.value?.content.rois.some((one) => one.id === roi.id) ?? false;
  return (
    <li class="row region-row">
      <Swatch style={styleOf(said)} />
      <button type="button" class="link-like grow trunc" onClick={() => board.goTo(roi)} {...lights(roi.id)}>
        <span class="num">
          {said.reader}.{number}
        </span>{" "}
        {roiName(roi)}
      </button>
      {draft.value && (
        <button
          type="button"
          class="btn sm"
          disabled={isTaken}
          onClick={() => change((now) => takeRoi(now, roi, said))}
        >
          {isTaken ? "Taken" : "Take"}
          <span class="vh">
            {" "}
            region {number} of {nameOf(said)}
          </span>
        </button>
      )}
    </li>
  );
}

const two = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : value.toFixed(2);

function PlaceRow({ at }: { at: Place }): JSX.Element {
  const counted = consensus.value?.counted ?? [];
  const info = images.value.find((one) => one.number === at.image) ?? null;
  const where = `${labelName(at.label)}${images.value.length > 1 ? `, image ${at.image}` : ""}`;
  const roi = at.roi;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link-like" onClick={() => board.goTo(at)}>
          {where}
          {at.frame > 0 && `, frame ${at.frame + 1}`}
        </button>
      </th>
      <td class="n">
        {at.drawn_by.length} of {at.readers}
      </td>
      <td class="n">
        {at.area_px === 0 ? (
          <span class="undefined" title="No pixel was drawn by more than half of the readers">
            none
          </span>
        ) : (
          areaText(at.area_px, bodySpacing(info))
        )}
      </td>
      <td class="sm t2">
        {at.staple?.sensitivity.map((value, number) => {
          const said = readings.value[counted[number] ?? -1];
          return (
            <span key={said?.reading ?? number} class="pair">
              {said?.reader} {two(value)} / {two(at.staple?.specificity[number])}
            </span>
          );
        }) ?? "–"}
      </td>
      <td class="n">
        {draft.value && roi && (
          <button
            type="button"
            class="btn sm"
            onClick={() => change((now) => addRegion(now, roi, at, crypto.randomUUID()))}
          >
            Take<span class="vh"> the majority of {where}</span>
          </button>
        )}
      </td>
    </tr>
  );
}

function Places(): JSX.Element | null {
  const found = consensus.value;
  if (!found || found.regions.length === 0) return null;
  return (
    <div class="scrolls">
      <table class="table side-by-side">
        <thead>
          <tr>
            <th>Where</th>
            <th class="n">Drawn by</th>
            <th class="n" title="Pixels that more than half of the readers drew">
              Majority
            </th>
            <th title="Against the STAPLE estimate: how much of it a reader drew, and how much of the rest they left out">
              Sensitivity / specificity
            </th>
            <th>
              <span class="vh">Take</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {found.regions.map((at) => (
            <PlaceRow key={`${at.image}.${at.frame}.${at.label}`} at={at} />
          ))}
        </tbody>
      </table>
      {found.uncounted_rois > 0 && (
        <p class="card-foot sm t3">
          {found.uncounted_rois} point{found.uncounted_rois === 1 ? "" : "s"} or lines have no area and are in no
          consensus.
        </p>
      )}
    </div>
  );
}

export function Regions(): JSX.Element {
  const hasAny = readings.value.some((said) => said.content.rois.length > 0);
  return (
    <section class="card" aria-labelledby="regions-title">
      <div class="card-head">
        <h2 id="regions-title">Regions</h2>
      </div>
      {hasAny ? (
        <>
          <Places />
          <ul class="region-list">
            {beside.value.map(({ said }) =>
              said.content.rois.map((roi, index) => (
                <RoiRow key={`${said.reading}.${roi.id}`} said={said} roi={roi} number={index + 1} />
              )),
            )}
          </ul>
        </>
      ) : (
        <p class="card-body t2">Nobody drew a region.</p>
      )}
    </section>
  );
}
