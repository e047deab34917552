import type { Logger } from '../core/logger.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Warnings and errors of a command that a person watches, as sentences; everything else is nobody's business there. */
export function noticeLogger(notice: (text: string) => void): Logger {
  const say = (fields: Fields, message: string): void => notice(`warning: ${message}${details(fields)}`);
  const logger: Logger = { child: () => logger, debug: () => {}, info: () => {}, warn: say, error: say };
  return logger;
}

function details(fields: Fields): string {
  const shown = Object.entries(fields).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : value;
    return `${name}: ${text}`;
  });
  return shown.length === 0 ? '' : ` (${shown.join('; ')})`;
}
