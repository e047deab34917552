import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageContentCodec } from '../../../../connectors/postgres/message-content.ts';
import type { TypeModes } from '../../../../connectors/postgres/pg-type.ts';
import { parseTimelineHistory } from '../../../../connectors/postgres/timeline-history.ts';
import type { ValueWriter } from '../../../../src/core/value-writer.ts';

const BYTES = Buffer.from([0x2e, 0xff, 0xfe, 0x3e, 0x2e]);

function written(binary: TypeModes['binary']): unknown {
  let value: unknown;
  const out = {
    bytes: (bytes: Uint8Array, start: number, end: number) => {
      value = Buffer.from(bytes.slice(start, end)).toString('hex');
    },
    text: (text: string) => {
      value = text;
    },
  } as unknown as ValueWriter;
  messageContentCodec({ binary } as TypeModes).write(BYTES, 1, 4, out);
  return value;
}

test('the content of a message follows the binary mode', () => {
  assert.equal(written('bytes'), 'fffe3e');
  assert.equal(written('hex'), 'fffe3e');
  assert.equal(written('base64'), '//4+');
  assert.equal(written('base64-url-safe'), '__4-');
});

test('a timeline history tells where each timeline ended', () => {
  const text = '1\t0/3000060\tno recovery target specified\n# comment\n\n2\t16/B374D848\tbefore 2026-01-01\n';
  assert.deepEqual(
    [...parseTimelineHistory(text)],
    [
      [1, { high: 0, low: 0x3000060 }],
      [2, { high: 0x16, low: 0xb374d848 }],
    ],
  );
});
