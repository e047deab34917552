const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `500ms`, `1.5s`, `10m`, `2h`, `1d`; null for anything else, a number without a unit too. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * UNIT_MS[match[2]!]!;
  return Number.isSafeInteger(milliseconds) ? milliseconds : null;
}

/** The shortest text that `parseDuration` reads back as the same number of milliseconds. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNIT_MS[unit]!;
    if (milliseconds !== 0 && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${milliseconds}ms`;
}
