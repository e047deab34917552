/*
 * Loaded before a daemon (`--import`): SIGUSR2 sets its wall clock two hours ahead, the next one two hours behind, the third
 * one right again, and says so. The monotonic clock and timers go on, as when somebody sets the clock of a machine.
 */
const HOUR_MS = 3_600_000;
const offsets = [2 * HOUR_MS, -2 * HOUR_MS, 0];
const wallMs = Date.now;
let offsetMs = 0;

Date.now = () => wallMs() + offsetMs;
process.on('SIGUSR2', () => {
  offsetMs = offsets.shift() ?? 0;
  process.stderr.write(`the clock is ${offsetMs} ms off\n`);
});
