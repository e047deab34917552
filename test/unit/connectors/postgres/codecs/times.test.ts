import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedValueError } from '../../../../../src/core/errors.ts';
import { plainValue } from '../../../../support/plain-value.ts';
import { builtIn } from './built-in.ts';

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

/** Every instant that both JavaScript and Postgres have, with microseconds. */
const instant = fc.record({
  milliseconds: fc.integer({ min: -210_866_803_200_000, max: 8_640_000_000_000_000 }),
  micros: fc.nat(999),
});

describe('date', () => {
  it('counts days and prints ISO 8601', () => {
    fc.assert(
      fc.property(instant, ({ milliseconds }) => {
        const text = dateText(new Date(milliseconds));
        const days = Math.floor(milliseconds / 86_400_000);
        assert.equal(plainValue(builtIn('date'), text), days);
        assert.equal(plainValue(builtIn('date', { time: 'connect' }), text), days);
        assert.equal(plainValue(builtIn('date', { time: 'isostring' }), text), `${javaDate(new Date(milliseconds))}Z`);
        const { year, month, day } = plainValue(builtIn('date', { time: 'structured' }), text) as Record<
          string,
          number
        >;
        assert.equal(Date.UTC(2000, month! - 1, day), Date.UTC(2000, new Date(milliseconds).getUTCMonth(), day));
        assert.equal(year, new Date(milliseconds).getUTCFullYear());
      }),
      { numRuns: 2000 },
    );
  });

  it('reaches to the last day that Postgres has', () => {
    assert.equal(plainValue(builtIn('date'), '5874897-12-31'), 2_145_042_905);
    assert.equal(plainValue(builtIn('date'), '4714-11-24 BC'), -2_440_588);
  });

  it('refuses days that are none', () => {
    const texts = [
      '',
      '2026',
      '2026-1-01',
      '2026-13-01',
      '2026-00-10',
      '2026-02-29',
      '2026-04-31',
      '2026-01-00',
      '0000-01-01',
    ];
    for (const text of [
      ...texts,
      '1900-02-29',
      '2026-01-01 ',
      '2026-01-01 AD',
      ' BC',
      'infinit',
      '-infinityy',
      '-',
      '12345678-01-01',
    ]) {
      for (const time of ['adaptive', 'connect', 'isostring', 'structured'] as const) {
        assert.throws(() => plainValue(builtIn('date', { time }), text), MalformedValueError, text);
      }
    }
    assert.equal(plainValue(builtIn('date'), '2000-02-29'), 11_016);
  });
});

describe('timestamp', () => {
  it('in every unit', () => {
    fc.assert(
      fc.property(instant, ({ milliseconds, micros }) => {
        const text = timestampText(milliseconds, micros);
        const exact = BigInt(milliseconds) * 1000n + BigInt(micros);
        assert.equal(plainValue(builtIn('timestamp'), text), exact);
        assert.equal(plainValue(builtIn('timestamp', {}, 3), text), BigInt(milliseconds));
        assert.equal(plainValue(builtIn('timestamp', { time: 'connect' }), text), BigInt(milliseconds));
        assert.equal(plainValue(builtIn('timestamp', { time: 'microseconds' }, 0), text), exact);
        assert.equal(plainValue(builtIn('timestamp', { time: 'nanoseconds' }), text), saturated(exact * 1000n));
        const fraction = fractionText(milliseconds, micros);
        const iso = `${javaDate(new Date(milliseconds))}T${clockText(milliseconds)}${fraction}Z`;
        assert.equal(plainValue(builtIn('timestamp', { time: 'isostring' }), text), iso);
      }),
      { numRuns: 2000 },
    );
  });

  it('with time zone prints as many digits as declared, in UTC', () => {
    const offset = fc.oneof(fc.constant(0), fc.integer({ min: -57_599, max: 57_599 }));
    fc.assert(
      fc.property(instant, offset, fc.nat(6), ({ milliseconds, micros }, seconds, digits) => {
        const local = milliseconds + seconds * 1000;
        fc.pre(local <= 8_640_000_000_000_000);
        const text = withOffset(timestampText(local, micros), seconds);
        const fraction = String((((milliseconds % 1000) + 1000) % 1000) * 1000 + micros)
          .padStart(6, '0')
          .slice(0, digits);
        const expected = `${javaDate(new Date(milliseconds))}T${clockText(milliseconds)}${digits === 0 ? '' : `.${fraction}`}Z`;
        assert.equal(plainValue(builtIn('timestamptz', {}, digits), text), expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses what is none', () => {
    const texts = [
      '',
      '2026-01-01',
      '2026-01-01T00:00:00',
      '2026-01-01 24:00:00',
      '2026-01-01 00:60:00',
      '2026-01-01 00:00:60',
    ];
    for (const text of [
      ...texts,
      '2026-01-01 00:00:00.',
      '2026-01-01 00:00:00.1234567',
      '2026-01-01 00:00',
      '2026-01-01 00:00:00+00',
    ]) {
      assert.throws(() => plainValue(builtIn('timestamp'), text), MalformedValueError, text);
    }
    for (const offset of ['', '+', '+1', '+16', '+00:60', '+00:00:00:00', 'Z', '+00 ']) {
      assert.throws(
        () => plainValue(builtIn('timestamptz'), `2026-01-01 00:00:00${offset}`),
        MalformedValueError,
        offset,
      );
    }
  });
});

describe('time', () => {
  it('in every unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000_000 }), (micros) => {
        const milliseconds = Math.floor(micros / 1000);
        const clock = micros === 86_400_000_000 ? '24:00:00' : clockText(milliseconds);
        const text = `${clock}${fractionText(milliseconds, micros % 1000)}`;
        assert.equal(plainValue(builtIn('time'), text), BigInt(micros));
        assert.equal(plainValue(builtIn('time', {}, 2), text), milliseconds);
        assert.equal(plainValue(builtIn('time', { time: 'connect' }), text), milliseconds);
        assert.equal(plainValue(builtIn('time', { time: 'nanoseconds' }, 3), text), BigInt(micros) * 1000n);
        assert.equal(plainValue(builtIn('time', { time: 'adaptive_time_microseconds' }, 3), text), BigInt(micros));
        assert.equal(plainValue(builtIn('time', { time: 'isostring' }), text), `${text}Z`);
      }),
      { numRuns: 1000 },
    );
  });

  it('with time zone is normalised to UTC', () => {
    const day = fc.integer({ min: 0, max: 86_399_999_999 });
    fc.assert(
      fc.property(day, fc.integer({ min: -57_599, max: 57_599 }), (micros, seconds) => {
        const milliseconds = Math.floor(micros / 1000);
        const fraction = fractionText(milliseconds, micros % 1000);
        const utc = (((milliseconds - seconds * 1000) % 86_400_000) + 86_400_000) % 86_400_000;
        const text = withOffset(`${clockText(milliseconds)}${fraction}`, seconds);
        assert.equal(plainValue(builtIn('timetz'), text), `${clockText(utc)}${fraction}Z`);
        const struct = plainValue(builtIn('timetz', { time: 'structured' }), text) as Record<string, number>;
        assert.equal(struct.offsetSeconds, seconds);
        assert.equal(struct.hour! * 3600 + struct.minute! * 60 + struct.second!, Math.floor(micros / 1_000_000));
      }),
      { numRuns: 1000 },
    );
    assert.equal(plainValue(builtIn('timetz'), '24:00:00+00'), '24:00:00Z');
    assert.equal(plainValue(builtIn('timetz'), '24:00:00-05'), '05:00:00Z');
  });

  it('refuses what is none', () => {
    for (const text of ['', '1:00:00', '24:00:01', '24:00:00.1', '25:00:00', '00:00:00+00', '00:00:00.', '00-00-00']) {
      assert.throws(() => plainValue(builtIn('time'), text), MalformedValueError, text);
    }
  });
});

describe('interval', () => {
  const int = fc.integer({ min: -178_000_000, max: 178_000_000 });
  const parts = fc.record({
    years: int,
    months: fc.integer({ min: -11, max: 11 }),
    days: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
    micros: fc.bigInt(LONG_MIN + 1n, LONG_MAX),
  });

  it('is microseconds with months of 30.4375 days', () => {
    fc.assert(
      fc.property(parts, ({ years, months, days, micros }) => {
        const monthMicros = 30_437_500n * 86_400n;
        const exact = BigInt(years * 12 + months) * monthMicros + BigInt(days) * 86_400_000_000n + micros;
        assert.equal(plainValue(builtIn('interval'), intervalText(years, months, days, micros)), saturated(exact));
      }),
      { numRuns: 1000 },
    );
  });

  it('prints every part in ISO form and keeps every part as a struct', () => {
    fc.assert(
      fc.property(parts, ({ years, months, days, micros }) => {
        const text = intervalText(years, months, days, micros);
        const iso = plainValue(builtIn('interval', { interval: 'string' }), text) as string;
        const match = /^P(-?\d+)Y(-?\d+)M(-?\d+)DT(-?\d+)H(-?\d+)M(-?)(\d+)(?:\.(\d*[1-9]))?S$/.exec(iso)!;
        assert.deepEqual(match.slice(1, 4).map(Number), [years || 0, months || 0, days || 0]);
        const [hours, minutes] = match.slice(4, 6).map(BigInt);
        const seconds = BigInt(match[7]!) * 1_000_000n + BigInt((match[8] ?? '').padEnd(6, '0'));
        assert.equal((hours! * 60n + minutes!) * 60_000_000n + (match[6] === '-' ? -seconds : seconds), micros);

        const struct = plainValue(builtIn('interval', { time: 'structured' }), text) as Record<string, number | bigint>;
        const clock = (BigInt(struct.hours!) * 60n + BigInt(struct.minutes!)) * 60n + BigInt(struct.seconds!);
        assert.equal(clock * 1_000_000n + BigInt(struct.nanos!) / 1000n, micros);
        assert.deepEqual([struct.years, struct.months, struct.days], [years || 0, months || 0, days || 0]);
      }),
      { numRuns: 1000 },
    );
  });

  it('can be infinite since Postgres 17', () => {
    assert.equal(plainValue(builtIn('interval'), 'infinity'), LONG_MAX);
    assert.equal(plainValue(builtIn('interval'), '-infinity'), LONG_MIN);
    assert.equal(plainValue(builtIn('interval', { interval: 'string' }), '-infinity'), '-infinity');
    assert.equal(plainValue(builtIn('interval', { time: 'structured' }), 'infinity'), null);
  });

  it('refuses another style', () => {
    for (const text of [
      '',
      'P1Y',
      '@ 1 year',
      '1-2',
      '1 year ago',
      '1.5 days',
      '1 day 1',
      '00:60:00',
      '1 days 2 days',
      'day',
      'xinfinity',
    ]) {
      for (const interval of ['numeric', 'string'] as const) {
        assert.throws(() => plainValue(builtIn('interval', { interval }), text), MalformedValueError, text);
      }
    }
  });
});

function saturated(value: bigint): bigint {
  return value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : value;
}

/** `2026-01-31` or `0044-03-15 BC`, split where the rest of a timestamp goes. */
function dateParts(date: Date): [date: string, era: string] {
  const year = date.getUTCFullYear();
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  const [month, day] = [date.getUTCMonth() + 1, date.getUTCDate()].map((part) => String(part).padStart(2, '0'));
  return [`${shown}-${month}-${day}`, year > 0 ? '' : ' BC'];
}

function dateText(date: Date): string {
  return dateParts(date).join('');
}

function timestampText(milliseconds: number, micros: number): string {
  const [date, era] = dateParts(new Date(milliseconds));
  return `${date} ${clockText(milliseconds)}${fractionText(milliseconds, micros)}${era}`;
}

function clockText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(-13, -5);
}

function fractionText(milliseconds: number, micros: number): string {
  const digits = `${new Date(milliseconds).toISOString().slice(-4, -1)}${String(micros).padStart(3, '0')}`.replace(
    /0+$/,
    '',
  );
  return digits === '' ? '' : `.${digits}`;
}

function withOffset(text: string, seconds: number): string {
  const magnitude = Math.abs(seconds);
  const parts = [Math.floor(magnitude / 3600), Math.floor(magnitude / 60) % 60, magnitude % 60];
  while (parts.length > 1 && parts.at(-1) === 0) parts.pop();
  const offset = `${seconds < 0 ? '-' : '+'}${parts.map((part) => String(part).padStart(2, '0')).join(':')}`;
  return text.endsWith(' BC') ? `${text.slice(0, -3)}${offset} BC` : `${text}${offset}`;
}

/** As `java.time.LocalDate` prints it. */
function javaDate(date: Date): string {
  const iso = date.toISOString();
  const [sign, year, rest] = /^([+-]?)(\d+)(-\d\d-\d\d)T/.exec(iso)!.slice(1) as [string, string, string];
  const trimmed = String(Number(year)).padStart(4, '0');
  return `${sign === '+' && trimmed.length === 4 ? '' : sign}${trimmed}${rest}`;
}

/** As `IntervalStyle=postgres` prints it. */
function intervalText(years: number, months: number, days: number, micros: bigint): string {
  let text = '';
  let negativeBefore = false;
  for (const [value, unit] of [
    [years, 'year'],
    [months, 'mon'],
    [days, 'day'],
  ] as const) {
    if (value === 0) continue;
    text += `${text === '' ? '' : ' '}${negativeBefore && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`;
    negativeBefore = value < 0;
  }
  if (micros === 0n && text !== '') return text;
  const magnitude = micros < 0n ? -micros : micros;
  const seconds = magnitude / 1_000_000n;
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  const fraction = String(magnitude % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const sign = micros < 0n ? '-' : negativeBefore ? '+' : '';
  return `${text}${text === '' ? '' : ' '}${sign}${clock}${fraction === '' ? '' : `.${fraction}`}`;
}
