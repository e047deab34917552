import { formatAge, formatTime } from './format.js';

/** @import { SourceStateName, SourceStatus } from '../../core/source-status.ts' */

/**
 * How much a person is wanted: `good` works, `busy` gets there, `rest` was asked for, `warn` tries by itself, `bad` waits
 * for somebody.
 * @typedef {'good' | 'busy' | 'rest' | 'warn' | 'bad'} Tone
 */

/** @type {Readonly<Record<SourceStateName, Tone>>} */
const TONES = {
  starting: 'busy',
  snapshotting: 'busy',
  streaming: 'good',
  paused: 'rest',
  completed: 'rest',
  'backing-off': 'warn',
  'resync-required': 'bad',
  failed: 'bad',
  stopping: 'rest',
  stopped: 'rest',
};

/**
 * @param {SourceStateName} state
 * @returns {Tone}
 */
export function toneOf(state) {
  // A newer daemon may know a state that this page does not.
  return TONES[state] ?? 'warn';
}

/**
 * What the last error means now: `standing` while the source stands still because of it, `recent` where it came since the
 * source runs (it may wait because of it), `past` where the source got over it; null where there was none.
 * @param {SourceStatus} source
 * @returns {'standing' | 'recent' | 'past' | null}
 */
export function errorRole({ state, since, last_error }) {
  if (last_error === null) return null;
  const tone = toneOf(state);
  if (tone === 'bad' || tone === 'warn' || state === 'starting') return 'standing';
  if (tone === 'rest') return 'past';
  return Date.parse(last_error.at) >= Date.parse(since) ? 'recent' : 'past';
}

/**
 * When the error came, and what is done about it without anybody.
 * @param {SourceStatus} source
 * @param {number} nowMs by the clock of the daemon
 */
export function describeAttempts({ last_error, retry }, nowMs) {
  const parts = [];
  if (last_error !== null) {
    const at = Date.parse(last_error.at);
    parts.push(`${formatTime(at, nowMs)}, ${formatAge(nowMs - at)} ago`);
  }
  if (retry !== null && retry.failures > 0) {
    parts.push(retry.failures === 1 ? '1 attempt has failed' : `${retry.failures} attempts in a row have failed`);
    const next = retry.next_attempt_at === null ? null : Date.parse(retry.next_attempt_at) - nowMs;
    if (next !== null) parts.push(next > 0 ? `the next is in ${formatAge(next + 999)}` : 'the next is due');
  }
  return parts.join(' · ');
}

/**
 * What is typed next, where a person decides; null elsewhere.
 * @param {SourceStatus} source
 * @returns {{ lead: string, command: string } | null}
 */
export function nextCommand({ name, state, snapshot }) {
  if (state === 'failed') return { lead: 'Then start it again:', command: `tailrace resume ${name}` };
  if (state === 'resync-required') {
    return { lead: 'To give the position up and start over:', command: `tailrace resync ${name} --confirm ${name}` };
  }
  if (state === 'paused') return { lead: 'Paused by an operator. To go on:', command: `tailrace resume ${name}` };
  if (state === 'completed') {
    return {
      lead: 'Read to the end; with snapshot.mode: initial it would stream. To read again:',
      command: `tailrace resync ${name} --confirm ${name}`,
    };
  }
  if (snapshot?.state === 'paused') {
    return { lead: 'The snapshot is paused. To go on:', command: `tailrace snapshot resume ${name}` };
  }
  return null;
}

/**
 * The sentence for a screen reader when a source has moved.
 * @param {SourceStatus} source
 */
export function announcement(source) {
  const { name, state, last_error } = source;
  const why = last_error !== null && errorRole(source) === 'standing' ? `: ${last_error.message}` : '';
  return `${name} is now ${state}${why}`;
}
