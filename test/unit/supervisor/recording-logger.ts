import type { Logger } from '../../../src/core/logger.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Keeps what is logged; children write into the same list, with their bindings. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[];
  readonly #bindings: Readonly<Record<string, unknown>>;

  constructor(lines: LogLine[] = [], bindings: Readonly<Record<string, unknown>> = {}) {
    this.lines = lines;
    this.#bindings = bindings;
  }

  child(bindings: Readonly<Record<string, unknown>>): Logger {
    return new RecordingLogger(this.lines, { ...this.#bindings, ...bindings });
  }

  debug = this.#writer('debug');
  info = this.#writer('info');
  warn = this.#writer('warn');
  error = this.#writer('error');

  #writer(level: LogLine['level']) {
    return (fields: Readonly<Record<string, unknown>>, message: string): void => {
      this.lines.push({ level, fields: { ...this.#bindings, ...fields }, message });
    };
  }
}
