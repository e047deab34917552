// Loaded by bootstrap.mjs before the script. Ctrl-C reaches the script several times: from the terminal, which signals the
// whole process group, and from npm and bootstrap.mjs, which pass it on. One keystroke must count as one signal, because
// a second one means "stop at once".
const WINDOW_MS = 250;
const SIGNALS = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);
const lastAt = new Map();
const emit = process.emit;

process.emit = function mergedEmit(name, ...args) {
  if (SIGNALS.has(name)) {
    const now = performance.now();
    const isEcho = now - (lastAt.get(name) ?? Number.NEGATIVE_INFINITY) < WINDOW_MS;
    lastAt.set(name, now);
    if (isEcho) return true;
  }
  return emit.call(this, name, ...args);
};
