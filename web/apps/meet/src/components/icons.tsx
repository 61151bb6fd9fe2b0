/** The page's icons: 24 by 24, drawn with strokes in the colour of the text around them. */

import type { ComponentChildren, JSX } from "preact";

function Icon({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const SLASH = <path d="M4 4l16 16" />;

export const Microphone = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </Icon>
);

export const MicrophoneOff = () => (
  <Icon>
    <path d="M9 9.5V11a3 3 0 0 0 4.6 2.5M15 10.5V6a3 3 0 0 0-5.6-1.5M5.5 11.5a6.5 6.5 0 0 0 9.9 5.5M18.5 11.5c0 .9-.2 1.8-.5 2.5M12 18v3" />
    {SLASH}
  </Icon>
);

export const Lock = () => (
  <Icon>
    <rect x="5.5" y="11" width="13" height="9" rx="2" />
    <path d="M8.5 11V7.5a3.5 3.5 0 0 1 7 0V11" />
  </Icon>
);

export const Unlock = () => (
  <Icon>
    <rect x="5.5" y="11" width="13" height="9" rx="2" />
    <path d="M8.5 11V7.5a3.5 3.5 0 0 1 6.7-1.4" />
  </Icon>
);

export const Camera = () => (
  <Icon>
    <rect x="3" y="6.5" width="12" height="11" rx="2.5" />
    <path d="M15 11l6-3.5v9L15 13z" />
  </Icon>
);

export const CameraOff = () => (
  <Icon>
    <path d="M6 6.5h-.5A2.5 2.5 0 0 0 3 9v6a2.5 2.5 0 0 0 2.5 2.5h7a2.5 2.5 0 0 0 2.3-1.5M10.5 6.5h2A2.5 2.5 0 0 1 15 9v2l6-3.5v9l-3-1.7" />
    {SLASH}
  </Icon>
);

export const ScreenShare = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12" rx="2.5" />
    <path d="M8.5 20.5h7M12 13.5v-6M9.3 9.9L12 7.2l2.7 2.7" />
  </Icon>
);

export const Hand = () => (
  <Icon>
    <path d="M8 13V6.2a1.5 1.5 0 0 1 3 0V11m0-.5V4.5a1.5 1.5 0 0 1 3 0V11m0-4.5a1.5 1.5 0 0 1 3 0V14a7 7 0 0 1-7 7c-2.5 0-4-1-5.2-3l-2.5-4.2a1.5 1.5 0 0 1 2.5-1.6L8 14.5" />
  </Icon>
);

export const StageIcon = () => (
  <Icon>
    <path d="M4.5 12h15l-1.5 8.5H6z" />
    <circle cx="12" cy="6" r="2.7" />
  </Icon>
);

export const People = () => (
  <Icon>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.5 20c.5-3.7 3-5.5 6.5-5.5s6 1.8 6.5 5.5M15.5 5.2a3.5 3.5 0 0 1 0 6.6M18 15.2c2 .8 3.2 2.4 3.5 4.8" />
  </Icon>
);

export const Gear = () => (
  <Icon>
    <path d="M4 7h9M17.5 7H20M4 17h2.5M11 17h9" />
    <circle cx="15.2" cy="7" r="2.3" />
    <circle cx="8.8" cy="17" r="2.3" />
  </Icon>
);

export const Leave = () => (
  <Icon>
    <path d="M3 14.5c0-5 4-7 9-7s9 2 9 7c0 1-.7 1.7-1.7 1.5l-2.6-.5c-.8-.2-1.3-.8-1.3-1.6v-1.7a9.5 9.5 0 0 0-6.8 0v1.7c0 .8-.5 1.4-1.3 1.6l-2.6.500C3.7 16.2 3 15.5 3 14.5z" />
  </Icon>
);

export const Question = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.900-1.1 1.8M12 16.7v.1" />
  </Icon>
);

export const Close = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const Check = () => (
  <Icon>
    <path d="M5 12.5l4.5 4.5L19 7.5" />
  </Icon>
);

export const Previous = () => (
  <Icon>
    <path d="M14.5 5.5L8 12l6.5 6.5" />
  </Icon>
);

export const Next = () => (
  <Icon>
    <path d="M9.5 5.5L16 12l-6.5 6.5" />
  </Icon>
);

export const RemovePerson = () => (
  <Icon>
    <circle cx="10" cy="8.5" r="3.5" />
    <path d="M3.5 20c.5-3.7 3-5.5 6.5-5.5 1.6 0 3 .4 4.1 1.1M16 16l5 5M21 16l-5 5" />
  </Icon>
);

export const Speaker = () => (
  <Icon>
    <path d="M4 9.5v5h3.5l4.5 4v-13l-4.5 4zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.7 7.7 0 0 1 0 11" />
  </Icon>
);

export const Warning = () => (
  <Icon>
    <path d="M12 4L2.8 19.5h18.4zM12 10v4.5M12 17v.1" />
  </Icon>
);
