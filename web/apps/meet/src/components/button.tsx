/** Buttons: round ones of the control bar, and plain ones. Every one has a name that can be read out. */

import type { ComponentChildren, JSX } from "preact";

interface RoundButtonProps {
  label: string;
  icon: JSX.Element;
  onClick: () => void;
  testId?: string;
  /** For things that are on or off. */
  pressed?: boolean;
  tone?: "plain" | "off" | "active" | "danger";
  badge?: number;
  shortcut?: string;
  /** Shown under the icon where there is room. */
  caption?: string;
  disabled?: boolean;
}

export function RoundButton(props: RoundButtonProps): JSX.Element {
  const { label, icon, onClick, testId, pressed, tone = "plain", badge = 0, shortcut, caption, disabled } = props;
  return (
    <button
      type="button"
      class={`round-button ${tone}${caption ? " captioned" : ""}`}
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      title={shortcut ? `${label} (${shortcut})` : label}
      data-testid={testId}
      disabled={disabled}
      onClick={onClick}
    >
      {icon}
      {caption && <span class="caption">{caption}</span>}
      {badge > 0 && <span class="badge">{badge > 99 ? "99+" : badge}</span>}
    </button>
  );
}

interface ButtonProps {
  children: ComponentChildren;
  onClick?: () => void;
  tone?: "plain" | "primary" | "danger" | "quiet";
  testId?: string;
  type?: "button" | "submit";
  disabled?: boolean;
  label?: string;
  small?: boolean;
}

export function Button(props: ButtonProps): JSX.Element {
  const { children, onClick, tone = "plain", testId, type = "button", disabled, label, small } = props;
  return (
    <button
      type={type}
      class={`button ${tone}${small ? " small" : ""}`}
      disabled={disabled}
      aria-label={label}
      title={label}
      data-testid={testId}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
