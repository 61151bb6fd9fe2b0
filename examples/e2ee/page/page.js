/** Joins with the passphrase of the form, and shows who can be decrypted. What cannot be is said in `notice`. */

import { Client } from "/sdk/rostrum.js";

const byId = (id) => document.getElementById(id);
const door = byId("door");
let meeting = null;

door.addEventListener("submit", async (event) => {
  event.preventDefault();
  const passphrase = byId("passphrase").value;
  byId("notice").textContent = "";
  try {
    if (meeting === null) await join(byId("name").value, passphrase);
    else await meeting.encryption.setPassphrase(passphrase);
  } catch (error) {
    byId("notice").textContent = error.message;
  }
});

async function join(name, passphrase) {
  const answer = await fetch("/invitation", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const { token, baseURI } = await answer.json();
  const joining = await Client.init({ authToken: token, baseURI, e2ee: { passphrase } });
  joining.encryption.on("failure", ({ message }) => (byId("notice").textContent = message));
  joining.encryption.on("recovered", () => (byId("notice").textContent = ""));
  const others = joining.participants.joined;
  others.on("participantJoined", (participant) => tileOf(participant.id, participant.name));
  others.on("participantLeft", (participant) => byId(participant.id)?.remove());
  others.on("videoUpdate", (participant, { videoTrack }) => show(participant, "video", videoTrack));
  others.on("audioUpdate", (participant, { audioTrack }) => show(participant, "audio", audioTrack));
  await joining.join();
  meeting = joining;
  window.meeting = meeting;
  byId("name").disabled = true;
  door.querySelector("button").textContent = "Change the passphrase";
  tileOf("me", `${name} (you)`).querySelector("video").srcObject = streamOf(meeting.self.videoTrack);
}

function tileOf(id, name) {
  const known = byId(id);
  if (known !== null) return known;
  const tile = document.createElement("figure");
  tile.id = id;
  const caption = document.createElement("figcaption");
  caption.textContent = name;
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: true, playsInline: true });
  const audio = Object.assign(document.createElement("audio"), { autoplay: true });
  tile.append(video, audio, caption);
  byId("people").append(tile);
  return tile;
}

function show(participant, kind, track) {
  tileOf(participant.id, participant.name).querySelector(kind).srcObject = streamOf(track);
}

function streamOf(track) {
  return track === null ? null : new MediaStream([track]);
}
