import type { VerifyProgress } from '../verify/report.ts';
import { type CommandContext, notify } from './command-context.ts';

const EVERY_MS = 100;
const BAR_WIDTH = 24;
const CLEAR = '\r\u001b[K';

/** One line on standard error that says how far a long work is; nothing where that is no terminal. */
export class ProgressLine {
  readonly #context: CommandContext;
  readonly #isShown: boolean;
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #isDirty = false;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#isShown = (context.stderr as { isTTY?: boolean }).isTTY === true && context.env.TERM !== 'dumb';
  }

  show({ table, phase, done, total }: VerifyProgress): void {
    if (!this.#isShown || performance.now() - this.#shownAtMs < EVERY_MS) return;
    this.#shownAtMs = performance.now();
    this.#isDirty = true;
    this.#context.stderr.write(`${CLEAR}${table}: ${phase} ${amount(done, total)}`);
  }

  /** A message for the user, which stays. */
  say(text: string): void {
    this.clear();
    notify(this.#context, text);
  }

  clear(): void {
    if (this.#isDirty) this.#context.stderr.write(CLEAR);
    this.#isDirty = false;
  }
}

function amount(done: number, total: number | null): string {
  if (total === null || total <= 0) return String(done);
  const share = Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${Math.floor(share * 100)} % of ${total}`;
}
