/** The way in: `const meeting = await Client.init({ authToken })`. */

import { browserDependencies, type Dependencies } from "./dependencies";
import { type Invitation, readInvitation } from "./invitation";
import { Meeting } from "./meeting";
import type { ClientOptions, ServerOptions } from "./options";

export const Client = {
  /**
   * What a token invites to, without joining. Rejects with the server's reason when a join would be refused,
   * and with ConnectionFailedError when the server could not be asked within seconds.
   */
  invitation(options: ServerOptions, dependencies: Dependencies = browserDependencies()): Promise<Invitation> {
    return readInvitation(options, dependencies);
  },

  /**
   * Makes a meeting and turns on the microphone and camera that `defaults` ask for; a device that is missing
   * or refused stays off and shows in `meeting.self.mediaPermissions`. Nothing is sent before `join`.
   *
   * Throws RostrumError "InvalidToken" if `authToken` is no token at all.
   */
  async init(options: ClientOptions, dependencies: Dependencies = browserDependencies()): Promise<Meeting> {
    const meeting = new Meeting(options, dependencies);
    const { audio = true, video = true } = options.defaults ?? {};
    await Promise.allSettled([
      audio ? meeting.self.enableAudio() : undefined,
      video ? meeting.self.enableVideo() : undefined,
    ]);
    return meeting;
  },
};
