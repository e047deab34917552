/** An anchored regular expression of a configuration, or null when `source` is not one. It must match the whole name. */
export function compilePattern(source: string): RegExp | null {
  try {
    // Unicode mode refuses what JavaScript would otherwise read differently from Java, such as \Q and \z. Compiled alone
    // first: `a)|(b` is wrong by itself, but would end the group around it and match part of a name.
    const { source: alone } = new RegExp(withoutNeedlessEscapes(source), 'u');
    return new RegExp(`^(?:${alone})$`, 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The text that `compilePattern` was given, up to needless escapes. */
export function patternSource(pattern: RegExp): string {
  return pattern.source.slice('^(?:'.length, -')$'.length);
}

/** Unicode mode allows a backslash only before syntax characters, while `my\_table` and `a\-b` are common in patterns. */
function withoutNeedlessEscapes(source: string): string {
  let inClass = false;
  return source.replace(/\\([\s\S])|[[\]]/gu, (found, escaped: string | undefined) => {
    if (escaped === undefined) {
      inClass = found === '[';
      return found;
    }
    if (escaped === '-') return inClass ? found : escaped;
    return /[\p{L}\p{N}^$\\.*+?()[\]{}|/]/u.test(escaped) ? found : escaped;
  });
}
