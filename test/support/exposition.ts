/**
 * A strict reader of Prometheus' text format 0.0.4, as `promtool check metrics` would read it.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 */
export interface Exposition {
  /** The value of the series with exactly these labels. */
  value(name: string, labels: Readonly<Record<string, string>>): number | undefined;
  /** Type by metric family. */
  readonly types: ReadonlyMap<string, string>;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|(?=\}))/;
/** Go's ParseFloat takes `nan` in any case, and prom-client writes `Nan`. */
const NUMBER = /^([Nn]a[Nn]|[+-]Inf|[+-]?\d+(\.\d+)?([eE][+-]?\d+)?)$/;

/** @throws Error naming the line where the text is not valid. */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('The last line must end with a line feed.');
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const closed = new Set<string>();
  const values = new Map<string, number>();
  let family = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (kind === 'HELP') {
        if (helps.has(name)) throw new Error(`Second HELP: ${line}`);
        helps.add(name);
      } else {
        if (types.has(name)) throw new Error(`Second TYPE: ${line}`);
        if (!/^(counter|gauge|histogram|summary|untyped)$/.test(rest)) throw new Error(`Unknown type: ${line}`);
        types.set(name, rest);
      }
      continue;
    }
    if (line.startsWith('#')) throw new Error(`Comment of no meaning: ${line}`);
    const { name, labels, value } = parseSample(line);
    const owner = ownerOf(name, types);
    if (owner !== family) {
      if (closed.has(owner)) throw new Error(`The lines of ${owner} are not together: ${line}`);
      closed.add(owner);
      family = owner;
    }
    if (types.get(owner) === 'counter' && value < 0) throw new Error(`Negative counter: ${line}`);
    const key = seriesKey(name, labels);
    if (values.has(key)) throw new Error(`Series twice: ${line}`);
    values.set(key, value);
  }
  return { types, value: (name, labels) => values.get(seriesKey(name, labels)) };
}

function parseSample(line: string): { name: string; labels: Record<string, string>; value: number } {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`No metric name: ${line}`);
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const match = LABEL.exec(rest);
      if (!match) throw new Error(`Malformed label: ${line}`);
      if (match[1]! in labels) throw new Error(`Label twice: ${line}`);
      labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
      rest = rest.slice(match[0].length);
    }
    rest = rest.slice(1);
  }
  const text = rest.slice(1);
  if (!rest.startsWith(' ') || !NUMBER.test(text)) throw new Error(`Malformed value: ${line}`);
  return { name, labels, value: Number(text.replace('Inf', 'Infinity')) };
}

function ownerOf(name: string, types: ReadonlyMap<string, string>): string {
  if (types.has(name)) return name;
  const owner = name.replace(/_(bucket|sum|count)$/, '');
  const type = types.get(owner);
  if (type === 'histogram' || type === 'summary') return owner;
  throw new Error(`${name} has no TYPE before it.`);
}

function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
