/** Tells when the network may have changed under us: back online, or another path. */

export type NetworkWatch = (onChange: () => void) => () => void;

export const watchBrowserNetwork: NetworkWatch = (onChange) => {
  const connection = (navigator as { connection?: EventTarget }).connection;
  window.addEventListener("online", onChange);
  connection?.addEventListener("change", onChange);
  return () => {
    window.removeEventListener("online", onChange);
    connection?.removeEventListener("change", onChange);
  };
};
