import { Client } from "@rostrum/core";

const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token !== null) {
  const meeting = await Client.init({ authToken: token, defaults: { audio: false, video: false } });
  Object.assign(window, { rostrum: meeting });
  await meeting.join();
}
