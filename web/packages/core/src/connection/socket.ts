/** The seam to the network: the little of WebSocket that a Connection needs. */

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((text: string) => void) | null;
  /** Called once, also when the socket never opened. */
  onclose: (() => void) | null;
  send(text: string): void;
  /** `onclose` is not called after this. */
  close(): void;
}

export type SocketFactory = (url: string) => Socket;

export function openWebSocket(url: string): Socket {
  const ws = new WebSocket(url);
  const socket: Socket = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => ws.send(text),
    close: () => {
      ws.onopen = ws.onmessage = ws.onclose = null;
      ws.close(1000);
    },
  };
  ws.onopen = () => socket.onopen?.();
  ws.onmessage = (message) => {
    if (typeof message.data === "string") socket.onmessage?.(message.data);
  };
  ws.onclose = () => socket.onclose?.();
  return socket;
}
