/** The parts of one of Debezium's comma-separated lists of regular expressions; `\,` is a comma inside one. */
export function splitPatterns(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((part) => part.replaceAll('\\,', ',').trim())
    .filter((part) => part !== '');
}

/** Debezium matches names without regard to case. */
export function ignoringCase(pattern: string): string {
  return `(?i:${javaPattern(pattern)})`;
}

/** What Java writes differently and is common: quoted stretches and a leading flag for what is done here anyway. */
function javaPattern(pattern: string): string {
  return pattern
    .replace(/^\(\?i\)/, '')
    .replace(/\\Q([\s\S]*?)(?:\\E|$)/g, (_, literal: string) => literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
}
