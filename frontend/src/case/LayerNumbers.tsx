// The table behind the layer plot: each layer's value beside its nulls.
import { NOT_MEASURED, written } from "./numbers";
import { layer, scoreOf } from "./state";

export function LayerNumbers({ count }: { count: number }) {
  return (
    <details class="numbers">
      <summary class="sm">Show numbers</summary>
      <table class="table">
        <caption class="vh">Attention ratio by layer, with what not looking would score</caption>
        <thead>
          <tr>
            <th class="n">Layer</th>
            <th class="n">Attention ratio</th>
            <th class="n">ROI moved, median</th>
            <th class="n">95th percentile</th>
            <th class="n">Centre map</th>
            <th class="n">Other finding</th>
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: count }, (_, at) => {
            const score = scoreOf("attention_ratio", at);
            const moved = score?.nulls?.moved;
            return (
              <tr key={at} class={at === layer.value ? "is-selected" : ""}>
                <td class="n">{at}</td>
                <td class="n strong">{score?.value == null ? NOT_MEASURED : `${written(score.value)}×`}</td>
                <td class="n">{written(moved?.median)}</td>
                <td class="n">{written(moved?.p95)}</td>
                <td class="n">{written(score?.nulls?.centre)}</td>
                <td class="n">{written(score?.nulls?.other_finding)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}
