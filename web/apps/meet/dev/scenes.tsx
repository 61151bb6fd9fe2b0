/**
 * The page without a server: `npm run dev -w @rostrum/meet`, then /meet/dev/?scene=grid&people=9.
 *
 * The real SDK talks to a scripted socket; cameras are canvases. Scenes: setup, waiting, rejected, grid, knocking (with
 * &waiting=3), screen, encrypted, host, viewer, accepted, reconnecting, ended. Not part of the build.
 */

import { browserDependencies, Client } from "@rostrum/core";
import { render } from "preact";
import { Page } from "../src/page";
import { launch } from "../src/state/app";
import { panel } from "../src/state/panels";
import { ScriptedServer } from "./scriptedServer";
import { FakeConnection } from "./fakeConnection";
import "../src/styles/base.css";
import "../src/styles/controls.css";
import "../src/styles/room.css";
import "../src/styles/tiles.css";
import "../src/styles/panel.css";
import "../src/styles/screens.css";

const query = new URLSearchParams(location.search);
const scene = query.get("scene") ?? "grid";
const server = new ScriptedServer(scene, Number(query.get("people") ?? "9"));

const watches = scene === "viewer" || scene === "accepted";
const access = watches ? "CAN_REQUEST" : "ALLOWED";
location.hash = `token=e30.${btoa("{}")}.x`;

render(<Page />, document.getElementById("app")!);
await launch({
  invitation: async () => ({
    meeting: { id: "mtg_1", title: "Autumn town hall", viewType: watches ? "WEBINAR" : "GROUP_CALL" },
    participant: { id: "pt_me", name: "Robin Weber", picture: null, presetName: "group_call_host" },
    may: { editDisplayName: true, audio: access, video: access, screenshare: access, stage: { enabled: watches, access } },
    liveParticipants: 3,
    present: ["Ada Lovelace", "Grace Hopper", "Alan Turing"].map((name) => ({ name, picture: null })),
    waits: query.get("waits") === "yes",
  }),
  start: ({ defaults, ...options }) =>
    Client.init(
      { ...options, defaults: { ...defaults, video: defaults?.video === true && query.get("camera") !== "off" } },
      {
        ...browserDependencies(),
        openSocket: () => server.open(),
        createPeerConnection: () => new FakeConnection() as unknown as RTCPeerConnection,
        setPreferredCodec: () => undefined,
        refuseCodec: () => undefined,
      },
    ),
});

if (scene !== "setup") {
  await (window as unknown as { rostrum: { join(): Promise<void> } }).rostrum.join();
  if (query.get("panel") === "open") panel.value = "participants";
  server.play();
}
