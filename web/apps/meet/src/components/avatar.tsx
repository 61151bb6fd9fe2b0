import type { JSX } from "preact";
import { avatarColour, initials } from "../state/avatar";

/** Who somebody is when there is no picture moving: their photo, or initials on their own colour. */
export function Avatar({ id, name, picture }: { id: string; name: string; picture: string | null }): JSX.Element {
  if (picture !== null && /^https?:/.test(picture)) {
    return <img class="avatar" src={picture} alt="" referrerpolicy="no-referrer" />;
  }
  return (
    <span class="avatar" style={{ backgroundColor: avatarColour(id) }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
