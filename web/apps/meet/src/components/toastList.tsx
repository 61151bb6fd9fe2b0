import type { JSX } from "preact";
import { dismissToast, toasts } from "../state/toasts";
import { Close } from "./icons";

export function ToastList(): JSX.Element {
  return (
    <div class="toasts" role="log" aria-live="polite" aria-label="Notices">
      {toasts.value.map(({ id, text, tone }) => (
        <div key={id} class={`toast ${tone}`} data-testid="toast">
          <span>{text}</span>
          <button type="button" class="toast-close" aria-label="Dismiss" onClick={() => dismissToast(id)}>
            <Close />
          </button>
        </div>
      ))}
    </div>
  );
}
