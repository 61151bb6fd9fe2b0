/** Tells when the network may have changed under us: gone, back online, or another path. */

export type NetworkWatch = (onChange: () => void) => () => void;

export const watchBrowserNetwork: NetworkWatch = (onChange) => {
  const connection = (navigator as { connection?: EventTarget }).connection;
  window.addEventListener("online", onChange);
  window.addEventListener("offline", onChange);
  connection?.addEventListener("change", onChange);
  return () => {
    window.removeEventListener("online", onChange);
    window.removeEventListener("offline", onChange);
    connection?.removeEventListener("change", onChange);
  };
};
