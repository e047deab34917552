import { readFileSync } from 'node:fs';
import { type Answer, problem } from './answer.ts';

const DOCUMENT = 'index.html';
const HTML = 'text/html';
/** All parts of the page beside its document. */
const PARTS: Readonly<Record<string, string>> = {
  'page.css': 'text/css',
  'sources.css': 'text/css',
  'icon.svg': 'image/svg+xml',
  'admin-api.js': 'text/javascript',
  'connection-banner.js': 'text/javascript',
  'fields.js': 'text/javascript',
  'format.js': 'text/javascript',
  'main.js': 'text/javascript',
  'rate-chart.js': 'text/javascript',
  'rate-history.js': 'text/javascript',
  'snapshot-progress.js': 'text/javascript',
  'snapshot-view.js': 'text/javascript',
  'source-card.js': 'text/javascript',
  'source-list.js': 'text/javascript',
  'source-text.js': 'text/javascript',
  'token-form.js': 'text/javascript',
};

/** Only what comes from here runs, is shown or is asked; no text ever becomes markup; no other page frames this one. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The files of the folder `page`, read once: a page for browsers, as it was written, without a build of its own. */
export class StatusPage {
  readonly document: Answer = {
    status: 200,
    contentType: `${HTML}; charset=utf-8`,
    body: read(DOCUMENT),
    headers: {
      vary: 'accept',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
  };
  readonly #parts: ReadonlyMap<string, Answer> = new Map(
    Object.entries(PARTS).map(([name, type]) => [
      name,
      { status: 200, contentType: `${type}; charset=utf-8`, body: read(name) },
    ]),
  );

  /** Content types of the parts. */
  get types(): readonly string[] {
    return [...new Set(Object.values(PARTS))];
  }

  get names(): readonly string[] {
    return [DOCUMENT, ...this.#parts.keys()];
  }

  part(name: string): Answer {
    return this.#parts.get(name) ?? problem(404, 'The status page has no such part.');
  }
}

/** Whether HTML is named in `Accept`, and not less wanted than plain text (RFC 9110, 12.5.1). `*` alone asks for text. */
export function wantsHtml(accept: string): boolean {
  const weights = new Map(accept.split(',').map(weightOf));
  const html = weights.get(HTML) ?? 0;
  return html > 0 && html >= (weights.get('text/plain') ?? 0);
}

function weightOf(range: string): [type: string, weight: number] {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  return [type, weight === undefined ? 1 : Number(weight.slice(2))];
}

function read(name: string): string {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');
}
