import { setFlagsFromString } from 'node:v8';

const SEMI_SPACE = /--(min|max)[-_]semi[-_]space[-_]size/;
const GROWING = /--heap[-_]growing[-_]percent/;
/** What may be added to what is alive before all of the heap is collected. */
const GROWING_PERCENT = 30;

/**
 * Keeps V8's young generation as small as it is at the start of the process (1 MiB a half). Left alone it grows to 32 MiB
 * a half while modules are loaded and stays there, although the daemon's objects are few: its bytes are in buffers.
 * What outlives it (a batch's transactions, where they are small) would be left to grow to several times of what is alive.
 * An operator who gives V8 settings of their own is obeyed.
 *
 * Set here and not as `--max-semi-space-size`, so that it holds however the daemon is started: a shebang with arguments
 * needs an `env` that knows `-S`, and every unit file and image would have to repeat it. V8 reads the growth factor at
 * each growth, so it may be set late; it must be set before anything large is imported.
 * @param options of V8 and Node, as given on the command line and in NODE_OPTIONS.
 */
export function boundHeap(options: readonly string[]): void {
  if (!options.some((option) => SEMI_SPACE.test(option))) setFlagsFromString('--semi-space-growth-factor=1');
  if (!options.some((option) => GROWING.test(option))) setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}
