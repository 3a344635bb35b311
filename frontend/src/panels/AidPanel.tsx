import type { JSX } from "preact";
import type { Aid, AidPrediction } from "../state/aided";
import type { Session } from "../state/session";
import { Icon } from "./icons";

const PERCENT = 100;

/** What the models said, beside an aided reading. */
export function AidPanel({ session, aid }: { session: Session; aid: Aid }): JSX.Element {
  const predictions = aid.predictions.value;
  return (
    <section class="aid" aria-label="What models said" data-testid="aid">
      <h2 class="aid-head">
        <Icon name="eye" size="sm" />
        Models
        <span class="end t3 sm">in view: this reading is kept apart</span>
      </h2>
      {aid.failure.value && (
        <div class="notice bad" role="alert">
          <Icon name="warn" />
          <div>
            What the models said did not arrive. {aid.failure.value}.{" "}
            <button type="button" class="btn sm" onClick={() => void aid.load()}>
              Try again
            </button>
          </div>
        </div>
      )}
      {predictions === null && !aid.failure.value && <p class="sm t3">Loading what the models said…</p>}
      {predictions?.length === 0 && <p class="sm t3">No model has read this case yet.</p>}
      {predictions && predictions.length > 0 && <Choice aid={aid} predictions={predictions} />}
      {aid.prediction.value && <Said session={session} aid={aid} prediction={aid.prediction.value} />}
    </section>
  );
}

function Choice({ aid, predictions }: { aid: Aid; predictions: AidPrediction[] }): JSX.Element {
  return (
    <div class="row wrap" role="radiogroup" aria-label="Model">
      {predictions.map((one, index) => (
        <label key={one.id} class="aid-model">
          <input
            type="radio"
            name="aid-model"
            checked={aid.chosen.value === index}
            onChange={() => (aid.chosen.value = index)}
          />
          {one.model.name}
          {!one.model.is_trained && <span class="badge line">untrained</span>}
        </label>
      ))}
    </div>
  );
}

function Said({ session, aid, prediction }: { session: Session; aid: Aid; prediction: AidPrediction }): JSX.Element {
  const options = session.handed.value?.case.options ?? {};
  const chances = Object.entries(prediction.option_probabilities ?? {});
  const { image, frame } = session.cell();
  return (
    <>
      <p class="aid-answer">
        {prediction.choice ? (
          <>
            <strong>{prediction.choice}</strong> {options[prediction.choice]}
          </>
        ) : (
          prediction.text || "no answer"
        )}
      </p>
      {chances.length > 0 && (
        <dl class="aid-chances" aria-label="Probability of each option">
          {chances.map(([letter, chance]) => (
            <div key={letter}>
              <dt>{letter}</dt>
              <dd>
                <meter min={0} max={1} value={chance} aria-label={`Option ${letter}`} />
                <span class="num">{Math.round(chance * PERCENT)} %</span>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {prediction.steps.length > 0 ? (
        <ol class="aid-steps">
          {prediction.steps.map((step) => (
            <li key={step.id}>{step.text}</li>
          ))}
        </ol>
      ) : (
        <p class="sm t3">This model wrote no steps.</p>
      )}
      <label class="row sm">
        <input
          type="checkbox"
          class="check"
          checked={aid.isMapOn.value}
          onChange={() => (aid.isMapOn.value = !aid.isMapOn.peek())}
        />
        Show where it looked
      </label>
      {aid.isMapOn.value && !aid.hasMap(image.value ?? 0, frame.value) && (
        <p class="sm t3">No map here: the model was not shown this frame.</p>
      )}
    </>
  );
}
