import type { JSX } from "preact";
import type { FieldError } from "../api/types";
import { Icon } from "./icons";

export function Errors({ errors }: { errors: readonly FieldError[] }): JSX.Element | null {
  if (errors.length === 0) return null;
  return (
    <div class="field-errors" role="alert">
      {errors.map((error) => (
        <div class="error" key={error.path + error.detail} data-error={error.path}>
          <Icon name="warn" size="sm" />
          {error.detail}
        </div>
      ))}
    </div>
  );
}
