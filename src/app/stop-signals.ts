/** Calls `first` at the first SIGINT or SIGTERM and `second` at the next; returns how to stop listening. */
export function onStopSignals(first: (signal: NodeJS.Signals) => void, second: () => void): () => void {
  let stopping = false;
  const listen = (signal: NodeJS.Signals) => {
    if (stopping) {
      second();
      return;
    }
    stopping = true;
    first(signal);
  };
  process.on('SIGINT', listen);
  process.on('SIGTERM', listen);
  return () => {
    process.off('SIGINT', listen);
    process.off('SIGTERM', listen);
  };
}
