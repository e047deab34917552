/** @import { SourceStatus } from '../../core/source-status.ts' */

/**
 * @typedef {{ kind: 'sources', sources: SourceStatus[], aheadMs: number }
 *   | { kind: 'token', detail: string }
 *   | { kind: 'failed', what: string, detail: string }} Reading
 *   `aheadMs`: how far the daemon's clock is before the browser's; `what`: the daemon does or does not, completes a sentence
 */

/** Below the address of the page, also where a proxy puts a path before it. */
const SOURCES = 'api/v1/sources';
const TIMEOUT_MS = 5_000;
/** `Date` has whole seconds; less than this is no difference. */
const CLOCK_TOLERANCE_MS = 2_000;
const UNREACHED = 'cannot be reached';
/** @type {Reading} */
const SOMETHING_ELSE = { kind: 'failed', what: UNREACHED, detail: 'Something else answers at its address.' };

/**
 * Asks the daemon once.
 * @param {string | null} token
 * @returns {Promise<Reading>}
 */
export async function readSources(token) {
  try {
    const response = await fetch(SOURCES, {
      headers: { accept: 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = await response.json();
    if (response.status === 401) return { kind: 'token', detail: detailOf(body) };
    if (!response.ok) {
      return { kind: 'failed', what: 'does not tell its state', detail: `${response.status}: ${detailOf(body)}` };
    }
    if (!Array.isArray(body)) return SOMETHING_ELSE;
    return { kind: 'sources', sources: body, aheadMs: clockAheadMs(response.headers.get('date')) };
  } catch (error) {
    return error instanceof SyntaxError ? SOMETHING_ELSE : { kind: 'failed', what: UNREACHED, detail: reasonOf(error) };
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return `It did not answer within ${TIMEOUT_MS / 1000} s.`;
  }
  return 'It is stopped, or the network in between is interrupted.';
}

/** @param {{ detail?: unknown } | null} body problem+json */
function detailOf(body) {
  return typeof body?.detail === 'string' ? body.detail : 'no reason was given.';
}

/** @param {string | null} date */
function clockAheadMs(date) {
  const aheadMs = date === null ? 0 : Date.parse(date) + 500 - Date.now();
  return Math.abs(aheadMs) > CLOCK_TOLERANCE_MS ? aheadMs : 0;
}
