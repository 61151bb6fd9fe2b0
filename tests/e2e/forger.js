/**
 * A client that does not ask its SDK: raw frames on the socket, and peer connections that go their own way.
 *
 * Evaluated in a page of the server's own origin; `new Forger(token)` is then driven from the test.
 */

class Forger {
  constructor(token) {
    this.token = token;
    this.events = [];
    /** Of others, whatever became of them. */
    this.publications = [];
    this.answers = new Map();
    this.nextId = 1;
  }

  async join() {
    this.socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/v2/ws");
    this.socket.onmessage = ({ data }) => this.handle(JSON.parse(data));
    await new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onerror = () => reject(new Error("no socket"));
    });
    const joined = await this.request("join", { token: this.token });
    this.state = joined.result;
    this.publications.push(...(joined.result?.publications ?? []));
    return joined.ok;
  }

  handle(frame) {
    if ("event" in frame) {
      this.events.push(frame.event);
      if (frame.event.type === "publication_added") this.publications.push(frame.event.publication);
      if (frame.event.type === "subscribe_offer") this.handleOffer(frame.event);
    } else {
      this.answers.get(frame.id)?.(frame);
    }
  }

  /** The whole response, refusal or not. */
  request(type, fields = {}) {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.answers.set(id, resolve);
      this.socket.send(JSON.stringify({ id, type, ...fields }));
    });
  }

  // --- publishing ---------------------------------------------------------------------------------------

  picture() {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
    const context = canvas.getContext("2d");
    let count = 0;
    setInterval(() => {
      context.fillStyle = `hsl(${count++ * 7}deg 80% 50%)`;
      context.fillRect(0, 0, 320, 180);
    }, 60);
    return canvas.captureStream(15).getVideoTracks()[0];
  }

  tone() {
    const context = new AudioContext();
    const target = context.createMediaStreamDestination();
    const oscillator = new OscillatorNode(context, { frequency: 300 });
    oscillator.connect(target);
    oscillator.start();
    return target.stream.getAudioTracks()[0];
  }

  async publishMicrophone() {
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const { mid, offer } = await this.offerMore(this.tone());
    const publications = [{ mid, source: "microphone", kind: "audio" }];
    const response = await this.request("publish", { offer, publications });
    if (response.ok) {
      this.answer = response.result.answer;
      await this.pc.setRemoteDescription({ type: "answer", sdp: this.answer });
    }
    return response;
  }

  async offerMore(track) {
    const transceiver = this.pc.addTransceiver(track, { direction: "sendonly" });
    await this.pc.setLocalDescription(await this.pc.createOffer());
    return { mid: transceiver.mid, offer: this.pc.localDescription.sdp };
  }

  /** For each announcement the name of the error, with an offer of sound (line 0) and picture (line 1). */
  async tryToPublish(announcements) {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (const track of [this.tone(), this.picture()]) pc.addTransceiver(track, { direction: "sendonly" });
    await pc.setLocalDescription(await pc.createOffer());
    const mids = pc.getTransceivers().map((transceiver) => transceiver.mid);
    const refusals = [];
    for (const announcement of announcements) {
      const publications = announcement.map(({ line, ...rest }) => ({ mid: mids[line], ...rest }));
      const response = await this.request("publish", { offer: pc.localDescription.sdp, publications });
      refusals.push(response.ok ? null : response.error.name);
    }
    pc.close();
    return refusals;
  }

  /** Sends video on the publish connection under an answer that the server never gave. */
  async smuggleVideo({ tellServer }) {
    const { offer } = await this.offerMore(this.picture());
    const response = tellServer ? await this.request("publish", { offer, publications: [] }) : null;
    await this.pc.setRemoteDescription({ type: "answer", sdp: this.forgedAnswer(offer) });
    return response;
  }

  /** The server's answer for the first m-line of the offer, and our own consent to all the others. */
  forgedAnswer(offer) {
    const [session, first] = this.answer.split(/^(?=m=)/m);
    const [, , ...others] = offer.split(/^(?=m=)/m);
    const transport = first.split("\r\n").filter((line) => /^a=(ice-|fingerprint|setup|candidate|rtcp-mux)/.test(line));
    const consents = others.map((section) => {
      const [, payloadType] = section.match(/a=rtpmap:(\d+) VP8\/90000/);
      const kept = section.split("\r\n").filter((line) => /^a=(mid|extmap):/.test(line));
      return [
        `m=video 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
        "c=IN IP4 0.0.0.0",
        ...kept,
        ...transport,
        "a=recvonly",
        "a=rtcp-rsize",
        `a=rtpmap:${payloadType} VP8/90000`,
        "",
      ].join("\r\n");
    });
    const mids = this.pc.getTransceivers().map((transceiver) => transceiver.mid);
    return session.replace(/a=group:BUNDLE.*/, `a=group:BUNDLE ${mids.join(" ")}`) + first + consents.join("");
  }

  // --- sending back on the connection that is only for receiving ----------------------------------------

  /** Answers the server's offers, and sends a picture of its own where the server only wants to send. */
  async handleOffer(event) {
    this.receiving ??= new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const pc = this.receiving;
    await pc.setRemoteDescription({ type: "offer", sdp: event.offer.replaceAll("a=sendonly", "a=sendrecv") });
    for (const transceiver of pc.getTransceivers()) {
      if (transceiver.receiver.track.kind !== "video" || transceiver.sender.track) continue;
      await transceiver.sender.replaceTrack(this.picture());
      transceiver.direction = "sendrecv";
    }
    await pc.setLocalDescription(await pc.createAnswer());
    const answer = pc.localDescription.sdp;
    this.answered = await this.request("subscribe_answer", { version: event.version, answer });
  }

  /** Video packets sent on a connection so far: "pc" or "receiving". */
  async videoSent(name) {
    if (!this[name]) return 0;
    const reports = [...(await this[name].getStats()).values()];
    return reports
      .filter((report) => report.type === "outbound-rtp" && report.kind === "video")
      .reduce((sum, report) => sum + report.packetsSent, 0);
  }
}

window.Forger = Forger;
